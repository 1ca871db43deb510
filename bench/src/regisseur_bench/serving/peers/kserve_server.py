"""KServe's model server with a scikit-learn model, in its own way: arrays in, lists out.

KServe's scikit-learn server itself is no package; this is the model class that its documentation
tells people to write, on the same server.
"""

import os
from typing import Any, TypeAlias

import joblib
import kserve
import numpy as np

Payload: TypeAlias = dict[str, Any]


class SklearnModel(kserve.Model):  # type: ignore[misc]  # untyped here, as it is not there
    """A scikit-learn model behind KServe's V1 protocol."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._model = joblib.load(os.environ["BENCH_MODEL"])
        self.ready = True

    def predict(self, payload: Payload, *_: object, **__: object) -> Payload:
        """Predict every row."""
        return {"predictions": self._model.predict(np.array(payload["instances"])).tolist()}


if __name__ == "__main__":
    port = int(os.environ["BENCH_PORT"])
    kserve.ModelServer(
        http_port=port, enable_grpc=False, workers=1, enable_docs_url=False, access_log_format=None
    ).start([SklearnModel("model")])
