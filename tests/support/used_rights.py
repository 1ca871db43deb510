"""The rights that a role gives, and those that somebody has used: both as plain triples."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

CREATED = 201


class Right(NamedTuple):
    """A verb on a resource, which may be one below another: `modeldeployments/status`."""

    group: str
    resource: str
    verb: str


def list_granted(roles: Iterable[dict[str, Any]]) -> set[Right]:
    """Return what roles allow."""
    return {
        Right(group, resource, verb)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def list_used(log: Path, user: str) -> set[Right]:
    """Return what a user was allowed to do, as the API server wrote it down.

    An apply that creates is a patch to the API server, and asks for the right to create as well.
    """
    used: set[Right] = set()
    for entry in _read(log, user):
        if is_refused(entry):
            continue
        reference = entry["objectRef"]
        subresource = reference.get("subresource")
        resource = reference["resource"] + (f"/{subresource}" if subresource else "")
        group = reference.get("apiGroup", "")
        used.add(Right(group, resource, entry["verb"]))
        if entry["responseStatus"]["code"] == CREATED:
            used.add(Right(group, resource, "create"))
    return used


def list_refused(log: Path, user: str) -> list[str]:
    """Return the requests that a user had no right to."""
    return [f"{e['verb']} {e['requestURI']}" for e in _read(log, user) if is_refused(e)]


def is_refused(entry: dict[str, Any]) -> bool:
    """Tell whether the API server said no to whoever asked."""
    allowed: str = entry["annotations"].get("authorization.k8s.io/decision", "allow")
    return allowed != "allow"


def _read(log: Path, user: str) -> Iterator[dict[str, Any]]:
    for line in log.read_text().splitlines():
        entry = json.loads(line)
        is_theirs = entry["user"]["username"] == user
        # Discovery and health have no object, and no right of a role is about them.
        if is_theirs and "objectRef" in entry and "responseStatus" in entry:
            yield entry
