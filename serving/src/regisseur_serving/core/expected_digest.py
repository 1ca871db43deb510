"""Whether files are the ones that were expected."""

from regisseur_serving.errors import DigestError


def check_digest(actual: str, expected: str, source: object) -> None:
    """Let the expected files pass; anything passes where nothing is expected.

    Args:
        actual: Canonical digest of the files.
        expected: Canonical digest that they must have, or nothing.
        source: Where the files are, for people.

    Raises:
        DigestError: They are others; names both digests.
    """
    if expected and actual != expected:
        raise DigestError(
            f"the files at {source} have the digest {actual}, expected is {expected}: they were "
            "changed after the version was registered or checked; register a new version"
        )
