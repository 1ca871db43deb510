"""Rules, mounts and interfaces of the cluster are removed; everybody else's stay."""

import json
from pathlib import Path

import pytest

from regisseur_devcluster.node import sysctls
from regisseur_devcluster.node.firewall import chains, is_empty, without_ours
from regisseur_devcluster.node.links import pod_links
from regisseur_devcluster.node.mounts import mounts_below

NAT = """\
*nat
:PREROUTING ACCEPT [5:300]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:KUBE-SERVICES - [0:0]
:CNI-HOSTPORT-DNAT - [0:0]
:REGISSEUR-POSTROUTING - [0:0]
[1:60] -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
[2:60] -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
[0:0] -A OUTPUT -m comment --comment "not KUBE-SERVICES at all" -j ACCEPT
[0:0] -A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
[0:0] -A KUBE-SERVICES -d 10.214.0.1/32 -j RETURN
COMMIT
"""


def test_only_our_chains_and_the_rules_that_lead_there_go() -> None:
    kept = list(without_ours(NAT, spared=set()))

    assert kept == [
        "*nat",
        ":PREROUTING ACCEPT [5:300]",
        ":OUTPUT ACCEPT [0:0]",
        ":DOCKER - [0:0]",
        "[1:60] -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
        '[0:0] -A OUTPUT -m comment --comment "not KUBE-SERVICES at all" -j ACCEPT',
        "COMMIT",
    ]


def test_a_chain_that_was_there_before_us_stays_whatever_its_name() -> None:
    kept = list(without_ours(NAT, spared={"CNI-HOSTPORT-DNAT"}))

    assert ":CNI-HOSTPORT-DNAT - [0:0]" in kept
    assert chains("\n".join(kept)) == ["PREROUTING", "OUTPUT", "DOCKER", "CNI-HOSTPORT-DNAT"]


@pytest.mark.parametrize(
    ("table", "is_so"),
    [
        ("*nat\n:INPUT ACCEPT [0:0]\nCOMMIT", True),
        ("*nat\n:INPUT DROP [0:0]\nCOMMIT", False),
        ("*nat\n:INPUT ACCEPT [0:0]\n:DOCKER - [0:0]\nCOMMIT", False),
        ("*nat\n:INPUT ACCEPT [0:0]\n[0:0] -A INPUT -j ACCEPT\nCOMMIT", False),
    ],
    ids=["only built-in chains", "a policy", "a chain of somebody's", "a rule of somebody's"],
)
def test_a_table_is_removed_only_when_nobody_uses_it(table: str, *, is_so: bool) -> None:
    assert is_empty(table) is is_so


def test_mounts_below_a_folder_come_innermost_first() -> None:
    table = (
        "tmpfs /state/kubelet/a tmpfs rw 0 0\n"
        "tmpfs /state/kubelet/a/b\\040c tmpfs rw 0 0\n"
        "tmpfs /state tmpfs rw 0 0\n"
        "tmpfs /state-of-somebody tmpfs rw 0 0\n"
    )

    assert mounts_below([Path("/state")], table) == ["/state/kubelet/a/b c", "/state/kubelet/a"]


def test_a_mount_point_may_have_any_name() -> None:
    table = "tmpfs /état/\\040Größe\\134n\u00a0x tmpfs rw 0 0\n"

    assert mounts_below([Path("/état")], table) == ["/état/ Größe\\n\u00a0x"]


def test_a_kernel_setting_that_cannot_be_written_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = Path.write_text

    def write(path: Path, text: str) -> int:
        if path.name == "locked":
            raise PermissionError
        return real(path, text)

    for name in ("locked", "open"):
        (tmp_path / name).write_text("1\n")
    monkeypatch.setattr(sysctls, "ROOT", tmp_path)
    monkeypatch.setattr(Path, "write_text", write)

    left = sysctls.restore_sysctls({"locked": "0", "gone": "0", "open": "0"})

    assert left == ["locked"]
    assert (tmp_path / "open").read_text() == "0"


def test_the_cables_of_pods_are_known_by_the_gateway_address() -> None:
    links = [
        {"ifname": "veth1", "addr_info": [{"local": "10.213.0.1"}]},
        {"ifname": "veth2", "addr_info": [{"local": "172.17.0.1"}]},
        {"ifname": "eth0", "addr_info": []},
    ]

    assert pod_links(json.dumps(links)) == ["veth1"]
