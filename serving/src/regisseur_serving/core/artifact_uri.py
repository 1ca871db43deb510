"""Storage addresses of models as a registry names them."""

import re
from dataclasses import dataclass

from regisseur_serving.core.listing import check_segment
from regisseur_serving.errors import UnservableError

PROXIED = "mlflow-artifacts:/<path>"
S3 = "s3://<bucket>/<key>"
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model folder is.

    Attributes:
        path: Of the folder in its store.
        bucket: The bucket of S3 that it is in; empty for the store of the registry's own server.
    """

    path: str
    bucket: str = ""


def parse_artifact_uri(uri: str) -> Place:
    """Return where an address leads.

    Raises:
        UnservableError: The address is of another kind, or its path is not a plain one.
    """
    scheme, separator, rest = uri.partition(":")
    if separator and scheme == "mlflow-artifacts":
        return _parse_proxied(uri, rest)
    if separator and scheme == "s3":
        return _parse_s3(uri, rest)
    raise UnservableError(
        f"cannot download from {uri!r}: only {PROXIED} and {S3} are supported; "
        "let the MLflow server proxy its artifacts (mlflow server --serve-artifacts)"
    )


def _parse_proxied(uri: str, rest: str) -> Place:
    if rest.startswith("//") and not rest.startswith("///"):
        raise UnservableError(
            f"cannot download from {uri!r}: it names a server of its own; "
            f"only {PROXIED} on the registry's own server is supported"
        )
    return Place(_join(uri, [segment for segment in rest.split("/") if segment], PROXIED))


def _parse_s3(uri: str, rest: str) -> Place:
    bucket, _, key = rest.removeprefix("//").partition("/")
    if not rest.startswith("//") or not _BUCKET.fullmatch(bucket):
        raise UnservableError(f"cannot download from {uri!r}: it names no bucket; expected {S3}")
    key = key.strip("/")
    # An empty segment inside a key is a part of its name, and no folder can be called so.
    return Place(_join(uri, key.split("/") if key else [], S3), bucket)


def _join(uri: str, segments: list[str], expected: str) -> str:
    if not segments:
        raise UnservableError(f"cannot download from {uri!r}: it has no path; expected {expected}")
    for segment in segments:
        check_segment(segment)
    return "/".join(segments)
