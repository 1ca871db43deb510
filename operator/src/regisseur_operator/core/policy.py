"""What the person who runs the operator allows of a registry; no ModelDeployment can say otherwise.

A policy decides what may begin. What serves already goes on when it changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class RegistryPolicy:
    """The rules of one registry; patterns are those of a shell, and none allow everything.

    Attributes:
        namespaces: Patterns of the namespaces whose ModelDeployments may name the registry.
        models: Patterns of the models that may be served from it.
        image_repositories: Patterns of the images that may serve them, without tag and digest.
        trusts_pickle: Whether its models may run code when they are loaded.
    """

    namespaces: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    image_repositories: tuple[str, ...] = ()
    trusts_pickle: bool = False

    def find_breach(self, namespace: str, model: str) -> str:
        """Say what of a reference is not allowed; empty where all of it is."""
        if not _fits(namespace, self.namespaces):
            return f"is not for namespace {namespace!r}"
        if not _fits(model, self.models):
            return f"is not for model {model!r}"
        return ""

    def allows_image(self, image: str) -> bool:
        """Tell whether an image may serve models of the registry."""
        return _fits(find_repository(image), self.image_repositories)


def find_repository(image: str) -> str:
    """Return an image reference without its tag and its digest.

    >>> find_repository("registry.example.com:5000/ml/serving:1.2@sha256:0123")
    'registry.example.com:5000/ml/serving'
    """
    name, _, _ = image.partition("@")
    path, slash, last = name.rpartition("/")
    return path + slash + last.partition(":")[0]


def _fits(text: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)
