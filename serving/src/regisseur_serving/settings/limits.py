"""What the server takes on, so that nothing that is sent to it can hurt it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from regisseur_contract.runtime import BATCH_MAX_ROWS


class Limits(BaseModel):
    """Upper bounds for requests."""

    model_config = ConfigDict(frozen=True)

    max_body_bytes: Annotated[
        int, Field(gt=0, description="Largest request body; a larger one is answered with 413.")
    ] = 16 << 20
    body_timeout_seconds: Annotated[
        float,
        Field(gt=0, description="Time in which a request body must arrive; later, 408."),
    ] = 30.0
    max_rows: Annotated[
        int, Field(gt=0, description="Most rows of a request; more are answered with 413.")
    ] = 65_536
    max_requests: Annotated[
        int, Field(gt=0, description="Requests in work at a time; the next one gets 429.")
    ] = 4096
    max_held_bytes: Annotated[
        int, Field(gt=0, description="Bytes of all bodies in work; over it, 429.")
    ] = 64 << 20
    max_queue_seconds: Annotated[
        float, Field(gt=0, description="Work that may wait for the model; over it, 429.")
    ] = 2.0
    queue_timeout_seconds: Annotated[
        float, Field(gt=0, description="Time that a request waits for the model; later, 504.")
    ] = 10.0
    batch_max_rows: Annotated[
        int,
        Field(gt=0, description="Rows predicted in one call; 1 predicts each request alone."),
    ] = BATCH_MAX_ROWS
