"""Pod Security `restricted`, as far as a manifest can break it: the rules of the API server.

Written down once more, so that any pod that a test can think of is judged without a server.
"""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

VOLUMES = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim"}
    | {"projected", "secret"}
)
OLD_ANNOTATIONS = (
    "container.apparmor.security.beta.kubernetes.io/",
    "container.seccomp.security.alpha.kubernetes.io/",
    "seccomp.security.alpha.kubernetes.io/",
)


def find_violations(pod: Json) -> list[str]:
    """Return what `restricted` forbids about a pod or a pod template, a path each."""
    return list(_find(pod.get("metadata", {}), pod["spec"]))


def _find(metadata: Json, spec: Json) -> Iterator[str]:
    context = spec.get("securityContext", {})
    yield from (name for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name))
    yield from ("sysctls" for _ in context.get("sysctls", ()))
    yield from (
        f"volume {volume['name']}"
        for volume in spec.get("volumes", ())
        if set(volume) - {"name"} - VOLUMES
    )
    yield from (key for key in metadata.get("annotations", {}) if key.startswith(OLD_ANNOTATIONS))
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(kind, ()):
            yield from (f"{container['name']}.{path}" for path in _find_in(container, context))


def _find_in(container: Json, pod: Json) -> Iterator[str]:
    own = container.get("securityContext", {})
    effective = {**pod, **own}
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation"
    if own.get("privileged"):
        yield "privileged"
    capabilities = own.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", ()) or capabilities.get("add"):
        yield "capabilities"
    if effective.get("runAsNonRoot") is not True or effective.get("runAsUser") == 0:
        yield "runAsNonRoot"
    if effective.get("seccompProfile", {}).get("type") not in {"RuntimeDefault", "Localhost"}:
        yield "seccompProfile"
    if any(port.get("hostPort") for port in container.get("ports", ())):
        yield "hostPort"
