"""Storage addresses of models as a registry names them."""

from regisseur_serving.core.listing import check_segment
from regisseur_serving.errors import UnservableError

SUPPORTED = "mlflow-artifacts:/<path>"


def parse_artifact_uri(uri: str) -> str:
    """Return the path inside the artifact store of the registry's server.

    Raises:
        UnservableError: The address is of another kind, or its path is not a plain one.
    """
    scheme, separator, rest = uri.partition(":")
    if not separator or scheme != "mlflow-artifacts":
        raise UnservableError(
            f"cannot download from {uri!r}: only {SUPPORTED} is supported; "
            "let the MLflow server proxy its artifacts (mlflow server --serve-artifacts)"
        )
    if rest.startswith("//") and not rest.startswith("///"):
        raise UnservableError(
            f"cannot download from {uri!r}: it names a server of its own; "
            f"only {SUPPORTED} on the registry's own server is supported"
        )
    segments = [segment for segment in rest.split("/") if segment]
    if not segments:
        raise UnservableError(f"cannot download from {uri!r}: it has no path; expected {SUPPORTED}")
    for segment in segments:
        check_segment(segment)
    return "/".join(segments)
