"""Routes, ports and headers of the model server."""

from typing import Final

PORT: Final = 8080
PORT_NAME: Final = "http"

ADMIN_PORT: Final = 8081
ADMIN_PORT_NAME: Final = "admin"
"""For who runs the server: metrics and the profile are not for who asks it for predictions."""

ROUTE_PREDICT: Final = "/predict"
ROUTE_EXPLAIN: Final = "/explain"
ROUTE_INVOCATIONS: Final = "/invocations"
ROUTE_PING: Final = "/ping"
ROUTE_VERSION: Final = "/version"
"""MLflow's scoring protocol."""

ROUTE_V2: Final = "/v2"
"""The Open Inference Protocol; everything below it."""

ROUTE_LIVE: Final = "/healthz"
ROUTE_READY: Final = "/readyz"
ROUTE_MODEL: Final = "/model"

ROUTE_METRICS: Final = "/metrics"
ROUTE_PROFILE: Final = "/monitoring/profile"
"""On the admin port alone; the two routes of health are on both."""

HEADER_REQUEST_ID: Final = "X-Request-Id"

HEADER_MODEL_NAME: Final = "X-Model-Name"
HEADER_MODEL_VERSION: Final = "X-Model-Version"
HEADER_MODEL_RUN_ID: Final = "X-Model-Run-Id"
"""Values are percent-encoded UTF-8, as model names are any Unicode and headers are not."""
