"""Storage addresses of models as a registry names them."""

from regisseur_serving.core.listing import check_segment
from regisseur_serving.errors import FetchError

SUPPORTED = "mlflow-artifacts:/<path>"


def parse_artifact_uri(uri: str) -> str:
    """Return the path inside the artifact store of the registry's server.

    Raises:
        FetchError: The address is of another kind, or its path is not a plain one.
    """
    scheme, separator, rest = uri.partition(":")
    if not separator or scheme != "mlflow-artifacts":
        raise FetchError(
            f"cannot download from {uri!r}: only {SUPPORTED} is supported; "
            "let the MLflow server proxy its artifacts (mlflow server --serve-artifacts)"
        )
    if rest.startswith("//") and not rest.startswith("///"):
        raise FetchError(
            f"cannot download from {uri!r}: it names a server of its own; "
            f"only {SUPPORTED} on the registry's own server is supported"
        )
    segments = [segment for segment in rest.split("/") if segment]
    if not segments:
        raise FetchError(f"cannot download from {uri!r}: it has no path; expected {SUPPORTED}")
    for segment in segments:
        check_segment(segment)
    return "/".join(segments)
