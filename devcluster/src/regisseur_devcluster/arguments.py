"""The command lines of the control plane's programs."""

from pathlib import Path

from regisseur_devcluster.certificates import Authority
from regisseur_devcluster.endpoints import FIRST_SERVICE, SERVICE_RANGE, Endpoints

FRONT_PROXY = "front-proxy-client"
"""Who the API server is when it hands a request on to an aggregated API, such as metrics."""


def flags(**values: str | int | Path) -> list[str]:
    """Return command line flags in the form that all of Kubernetes understands.

    >>> flags(secure_port=6443, profiling="false")
    ['--secure-port=6443', '--profiling=false']
    """
    return [f"--{name.replace('_', '-')}={value}" for name, value in values.items()]


def etcd_arguments(endpoints: Endpoints, authority: Authority, data: Path) -> list[str]:
    """Return the arguments of the store.

    Nobody reaches it without a certificate: whoever writes here is administrator of the cluster,
    and on a machine with several users the loopback belongs to all of them.
    """
    pair = authority.server("etcd", hosts=("localhost", "127.0.0.1"))
    peer = f"http://127.0.0.1:{endpoints.etcd_peer_port}"
    return flags(
        name="default",
        data_dir=data,
        listen_client_urls=endpoints.etcd,
        advertise_client_urls=endpoints.etcd,
        listen_peer_urls=peer,
        initial_advertise_peer_urls=peer,
        initial_cluster=f"default={peer}",
        listen_metrics_urls=endpoints.etcd_health,
        cert_file=pair.certificate,
        key_file=pair.key,
        trusted_ca_file=authority.pair.certificate,
        client_cert_auth="true",
        auto_compaction_retention="5m",
        # What a power cut costs here is a cluster that is made anew in a minute.
        unsafe_no_fsync="true",
        log_level="warn",
    )


def apiserver_arguments(endpoints: Endpoints, authority: Authority) -> list[str]:
    """Return the arguments of the API server."""
    names = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
    hosts = dict.fromkeys([*names, "127.0.0.1", endpoints.address, FIRST_SERVICE])
    serving = authority.server("kube-apiserver", hosts=tuple(hosts))
    etcd = authority.client("apiserver-etcd", user="kube-apiserver")
    kubelet = authority.client("apiserver-kubelet", user="kube-apiserver", group="system:masters")
    proxy = authority.client("front-proxy", user=FRONT_PROXY)
    tokens = authority.signing_key("service-accounts")
    trusted = authority.pair.certificate
    return flags(
        bind_address=endpoints.address,
        advertise_address=endpoints.address,
        secure_port=endpoints.api_port,
        endpoint_reconciler_type="lease" if endpoints.serves_pods else "none",
        tls_cert_file=serving.certificate,
        tls_private_key_file=serving.key,
        client_ca_file=trusted,
        etcd_servers=endpoints.etcd,
        etcd_cafile=trusted,
        etcd_certfile=etcd.certificate,
        etcd_keyfile=etcd.key,
        kubelet_client_certificate=kubelet.certificate,
        kubelet_client_key=kubelet.key,
        kubelet_preferred_address_types="InternalIP",
        service_cluster_ip_range=SERVICE_RANGE,
        service_account_issuer="https://kubernetes.default.svc",
        service_account_key_file=tokens.certificate,
        service_account_signing_key_file=tokens.key,
        authorization_mode="Node,RBAC",
        enable_admission_plugins="NodeRestriction,OwnerReferencesPermissionEnforcement",
        allow_privileged="true",
        requestheader_client_ca_file=trusted,
        requestheader_allowed_names=FRONT_PROXY,
        requestheader_username_headers="X-Remote-User",
        requestheader_group_headers="X-Remote-Group",
        requestheader_extra_headers_prefix="X-Remote-Extra-",
        proxy_client_cert_file=proxy.certificate,
        proxy_client_key_file=proxy.key,
        profiling="false",
    )


def controllers_arguments(endpoints: Endpoints, authority: Authority, config: Path) -> list[str]:
    """Return the arguments of the controllers."""
    return flags(
        kubeconfig=config,
        authentication_kubeconfig=config,
        authorization_kubeconfig=config,
        bind_address="127.0.0.1",
        secure_port=endpoints.controllers_port,
        service_cluster_ip_range=SERVICE_RANGE,
        root_ca_file=authority.pair.certificate,
        service_account_private_key_file=authority.signing_key("service-accounts").key,
        use_service_account_credentials="true",
        leader_elect="false",
        profiling="false",
    )
