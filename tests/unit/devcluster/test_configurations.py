"""The settings without which nothing runs on a plain machine, or too much is open to others."""

from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from regisseur_devcluster.arguments import apiserver_arguments, etcd_arguments, flags
from regisseur_devcluster.certificates import Authority
from regisseur_devcluster.endpoints import FIRST_SERVICE, NODE_ADDRESS, POD_RANGE, SERVICE_RANGE
from regisseur_devcluster.kubeconfig import write_kubeconfig
from regisseur_devcluster.node.addons import addons
from regisseur_devcluster.node.containerd import containerd_configuration, network_configuration
from regisseur_devcluster.node.dns import corefile
from regisseur_devcluster.node.layout import ENDPOINTS, POD_GATEWAY, Layout
from regisseur_devcluster.node.metrics import objects
from regisseur_devcluster.node.proxy import proxy_configuration
from regisseur_devcluster.settings import cache_folder, state_folder
from regisseur_devcluster.steps import duration


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return an authority with a folder of its own."""
    made = Authority(tmp_path_factory.mktemp("authority") / "certificates")
    made.create()
    return made


def test_the_ranges_of_the_cluster_do_not_overlap() -> None:
    pods, services = ip_network(POD_RANGE), ip_network(SERVICE_RANGE)

    assert not pods.overlaps(services)
    assert ip_address(NODE_ADDRESS) not in pods
    assert ip_address(NODE_ADDRESS) not in services
    assert ip_address(POD_GATEWAY) in pods
    assert ip_address(FIRST_SERVICE) in services


def test_the_api_server_listens_on_the_node_s_address_alone(authority: Authority) -> None:
    arguments = apiserver_arguments(ENDPOINTS, authority)

    assert f"--bind-address={NODE_ADDRESS}" in arguments
    assert (
        "--enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement"
        in arguments
    )
    assert "--authorization-mode=Node,RBAC" in arguments


def test_the_store_asks_for_a_certificate(authority: Authority, tmp_path: Path) -> None:
    arguments = etcd_arguments(ENDPOINTS, authority, tmp_path)

    assert "--client-cert-auth=true" in arguments
    assert f"--listen-client-urls=https://127.0.0.1:{ENDPOINTS.etcd_port}" in arguments


def test_keys_and_kubeconfigs_are_for_their_owner_alone(
    authority: Authority, tmp_path: Path
) -> None:
    pair = authority.client("somebody", user="somebody")
    path = write_kubeconfig(
        tmp_path / "kubeconfig", url="https://x", authority=pair.certificate, client=pair
    )

    assert pair.key.stat().st_mode & 0o077 == 0
    assert authority.pair.key.stat().st_mode & 0o077 == 0
    assert path.stat().st_mode & 0o077 == 0


def test_node_ports_are_open_to_this_machine_only() -> None:
    document = proxy_configuration("kubeconfig")

    assert document["nodePortAddresses"] == ["127.0.0.0/8", f"{NODE_ADDRESS}/32"]


def test_everything_of_containerd_lies_among_our_own_files(tmp_path: Path) -> None:
    text = containerd_configuration(Layout(tmp_path), "localhost/regisseur/pause:1")

    paths = [line.split('"')[-2] for line in text.splitlines() if '"/' in line]
    foreign = [
        path
        for path in paths
        if not path.startswith((str(tmp_path), "/run/regisseur", str(cache_folder())))
    ]
    assert foreign == ["/usr/lib/cni"]
    assert "restrict_oom_score_adj = true" in text


def test_pods_have_addresses_from_the_pod_range(tmp_path: Path) -> None:
    assert POD_RANGE in str(network_configuration(tmp_path))


@pytest.mark.parametrize(
    ("resolvers", "is_forwarded"),
    [("search example\nnameserver 192.0.2.1\n", True), ("# nameserver\n", False)],
    ids=["with a name server", "off the net"],
)
def test_dns_forwards_only_where_there_is_somebody_to_ask(
    resolvers: str, *, is_forwarded: bool
) -> None:
    assert ("forward . /etc/resolv.conf" in corefile(Path("k"), resolvers)) is is_forwarded


def test_the_api_server_knows_the_metrics_server_by_its_certificate(authority: Authority) -> None:
    text = str(objects(authority.pair.certificate))

    assert "insecureSkipTLSVerify" not in text
    assert "'caBundle': 'LS0t" in text
    assert f"'addresses': ['{NODE_ADDRESS}']" in text


def test_a_claim_without_a_class_finds_a_volume(tmp_path: Path) -> None:
    text = str(addons(tmp_path))

    assert "'storageclass.kubernetes.io/is-default-class': 'true'" in text
    assert str(tmp_path / "1") in text


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"REGISSEUR_CACHE": "/a", "XDG_CACHE_HOME": "/b"}, "/a"),
        ({"XDG_CACHE_HOME": "/b"}, "/b/regisseur"),
        ({"HOME": "/c"}, "/c/.cache/regisseur"),
    ],
    ids=["our own variable", "the desktop's", "the home folder"],
)
def test_the_cache_lies_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name in ("REGISSEUR_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert cache_folder() == Path(expected)


def test_the_state_is_not_in_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGISSEUR_STATE", raising=False)

    assert not state_folder().is_relative_to(cache_folder())


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.42, "0.4s"), (59.94, "59.9s"), (60, "1m00s"), (380, "6m20s")]
)
def test_times_are_written_as_people_do(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_flags_have_the_form_that_kubernetes_understands() -> None:
    assert flags(secure_port=1, root_ca_file=Path("/x")) == ["--secure-port=1", "--root-ca-file=/x"]
