"""In its pod, too, the operator hears of a resource when it is made, not at the next sweep."""

import json
import time
from collections.abc import Callable

from regisseur_contract.names import API_GROUP_VERSION, KIND
from regisseur_devcluster.demo.chart import NAMESPACE as OPERATOR_NAMESPACE
from regisseur_devcluster.demo.chart import RELEASE
from support.eventually import eventually
from support.stage import Stage

NAME = "wine-unheard-of"
NAMESPACE = "default"
SEEN_SECONDS = 10


def test_a_new_resource_is_seen_at_once(stage: Stage, note_figure: Callable[[str], None]) -> None:
    spec = {"model": {"name": NAME, "stage": "Production"}}
    metadata = {"name": NAME, "namespace": NAMESPACE}
    manifest = {"apiVersion": API_GROUP_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}

    stage.kubectl.apply(json.dumps(manifest))
    applied = time.monotonic()

    def reasons() -> set[str]:
        found = stage.kubectl.read("modeldeployment", NAME, "-n", NAMESPACE)
        return {entry["reason"] for entry in found.get("status", {}).get("conditions", [])}

    eventually(
        lambda: "ReferenceNotFound" in reasons(),
        deadline_seconds=SEEN_SECONDS,
        describe=lambda: f"the resource says what is missing; {reasons()}",
    )
    note_figure(f"a new resource has its answer after {time.monotonic() - applied:.1f} s")
    stage.kubectl("delete", "modeldeployment", NAME, "-n", NAMESPACE)
    log = stage.kubectl("logs", f"deployment/{RELEASE}", "-n", OPERATOR_NAMESPACE)
    assert "kopf ended" not in log
