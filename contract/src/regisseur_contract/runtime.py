"""What the operator puts into a serving pod and the server finds there.

The operator writes these environment variables and paths, the server's settings read them.
"""

from typing import Final

ENV_PREFIX: Final = "REGISSEUR_"

ENV_MODEL_NAME: Final = "REGISSEUR_MODEL_NAME"
ENV_MODEL_VERSION: Final = "REGISSEUR_MODEL_VERSION"
ENV_RUN_ID: Final = "REGISSEUR_RUN_ID"
ENV_MODEL_ID: Final = "REGISSEUR_MODEL_ID"
"""MLflow's id of the logged model, for `fetch`; absent where the registry names none."""

ENV_MODEL_DIR: Final = "REGISSEUR_MODEL_DIR"
ENV_DRAIN_SECONDS: Final = "REGISSEUR_DRAIN_SECONDS"

ENV_ARTIFACT_URI: Final = "REGISSEUR_ARTIFACT_URI"
"""Storage URI of the model folder as the registry names it: `mlflow-artifacts:/…` or `s3://…`."""

ENV_REGISTRY_URL: Final = "REGISSEUR_REGISTRY_URL"
"""Base URL of the MLflow server that proxies `mlflow-artifacts:` URIs."""

ENV_REGISTRY_WORKSPACE: Final = "REGISSEUR_REGISTRY_WORKSPACE"
"""Which of the server's workspaces is meant; absent for a server without."""

HEADER_WORKSPACE: Final = "X-MLFLOW-WORKSPACE"

ENV_CA_FILE: Final = "REGISSEUR_CA_FILE"
"""PEM file with certificates that `fetch` believes beside those of the system; absent for none."""

CA_MOUNT: Final = "/etc/regisseur/ca"
CA_KEY: Final = "ca.crt"
"""Key of the ConfigMap that holds them, as Kubernetes' own ConfigMap of this kind has it."""

ENV_FETCH_TIMEOUT_SECONDS: Final = "REGISSEUR_FETCH_TIMEOUT_SECONDS"
"""Deadline of one attempt to download the whole model; by default `FETCH_TIMEOUT_SECONDS`."""

ENV_MODEL_SIZE_LIMIT_BYTES: Final = "REGISSEUR_MODEL_SIZE_LIMIT_BYTES"
"""What all files of a model may have together: the kubelet throws a pod out whose volume holds more
than it may, and every pod after it as well. Absent for no limit."""

ENV_EXPECTED_DIGEST: Final = "REGISSEUR_EXPECTED_DIGEST"
"""Canonical digest (see `digest`) that the files must have; empty where none is known."""

ENV_BAKED_MODEL_DIR: Final = "REGISSEUR_BAKED_MODEL_DIR"
"""Set by an image that holds the model itself: its folder (the one with `MLmodel`) in the image."""

ENV_SERVED_ARTIFACT_URI: Final = "REGISSEUR_SERVED_ARTIFACT_URI"
"""In a rehearsal: where the served version is, if it is of the same registry; `fetch` brings its
MLmodel along to compare."""

ENV_REQUIREMENTS: Final = "REGISSEUR_REQUIREMENTS"
"""In a rehearsal: Strict, Minor or Ignore, how the model's requirements bind the image."""

ENV_SIGNATURE: Final = "REGISSEUR_SIGNATURE"
"""In a rehearsal: Compatible or Any, whether the served version's callers must be able to stay."""

ENV_ENGINE: Final = "REGISSEUR_ENGINE"
"""The engine that was asked for (see `engines`); absent for Native."""

ENV_BATCH_MAX_ROWS: Final = "REGISSEUR_BATCH_MAX_ROWS"
"""Rows that are predicted in one call of the model; 1 predicts each request alone. Absent for
`BATCH_MAX_ROWS`."""

ENV_EXPLAIN: Final = "REGISSEUR_EXPLAIN"
"""`true` where predictions are explained; absent for no."""

ENV_EXPLAIN_BUDGET_SECONDS: Final = "REGISSEUR_EXPLAIN_BUDGET_SECONDS"
"""What the explanation of one request may take; by default `EXPLAIN_BUDGET_SECONDS`."""

ENV_CONVERT_TIMEOUT_SECONDS: Final = "REGISSEUR_CONVERT_TIMEOUT_SECONDS"
"""Deadline of the conversion of a model; absent for `CONVERT_TIMEOUT_SECONDS`."""

ENV_CONVERT_MEMORY_BYTES: Final = "REGISSEUR_CONVERT_MEMORY_BYTES"
"""What the conversion of a model may ask for; by default `CONVERT_MEMORY_BYTES`."""

ENV_TRUST_PICKLE: Final = "REGISSEUR_TRUST_PICKLE"
"""`true` where models in pickle or cloudpickle format are loaded, which run code then: the policy
of the registry that they come from. Absent for no."""

MODEL_MOUNT: Final = "/model"
"""Where the volume shared by the fetch and server containers is mounted."""

MODEL_DIR: Final = f"{MODEL_MOUNT}/current"
"""The model folder (the one with `MLmodel`); it appears by rename, complete or not at all."""

SERVED_DIR: Final = f"{MODEL_MOUNT}/served"
"""In a rehearsal: the folder with the served version's MLmodel; absent when nothing is served."""

SUBCOMMAND_REHEARSE: Final = "rehearse"
SUBCOMMAND_FETCH: Final = "fetch"
SUBCOMMAND_CONVERT: Final = "convert"
SUBCOMMAND_SERVE: Final = "serve"
"""Arguments of the serving image's entry point."""

FETCH_TIMEOUT_SECONDS: Final = 3600
"""A store that is silent or fails is given up in a minute or two; this ends one that trickles."""

CONVERT_TIMEOUT_SECONDS: Final = 120
"""A conversion takes seconds; one that does not end leaves the model to its own engine."""

CONVERT_MEMORY_BYTES: Final = (2 << 30) - (128 << 20)
"""A conversion that wants more leaves the model to its own engine; the container may use 2 GiB."""

BATCH_MAX_ROWS: Final = 2048
"""More rows gain nothing: the fixed cost of a call is spread over enough of them."""

DRAIN_SECONDS: Final = 10
"""How long a server that was told to stop goes on accepting requests.

An idle keep-alive connection learns of the end with its next answer (`Connection: close`), so
this is also the longest pause of a client that neither checks its connection nor retries, less
about two seconds until kube-proxy sends no more new connections.
"""

LONGEST_REQUEST_SECONDS: Final = 30
"""Requests up to this long survive the end of their pod."""

EXPLAIN_WAIT_SECONDS: Final = 18
"""How long a request for an explanation waits for those before it, or for a process to start."""

EXPLAIN_BUDGET_SECONDS: Final = 5

MOST_EXPLAIN_BUDGET_SECONDS: Final = LONGEST_REQUEST_SECONDS - EXPLAIN_WAIT_SECONDS - 2
"""Waited for as well, such a request is answered before the end of its pod cuts it off."""

TERMINATION_GRACE_SECONDS: Final = DRAIN_SECONDS + LONGEST_REQUEST_SECONDS + 5
"""`terminationGracePeriodSeconds`: drain, the longest request, and a margin."""
