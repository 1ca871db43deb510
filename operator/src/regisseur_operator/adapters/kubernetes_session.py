"""How the API server is reached: address, trust and credentials, and sessions made of them.

The `kubernetes` library finds and reads the configuration; requests go through aiohttp, which is
several times cheaper. Credentials are asked for at each request: a service account's token changes
under a process that lives long enough.
"""

import os
import ssl
from dataclasses import dataclass
from typing import Any

import aiohttp
from kubernetes import client, config

USER_AGENT = "regisseur-operator"


class NoClusterError(Exception):
    """No API server is configured; the message is one line that says what to set."""


@dataclass(frozen=True)
class Connection:
    """The way to an API server.

    Attributes:
        server: Base address without a slash at the end.
        configuration: The `kubernetes` library's view, which keeps the credentials fresh.
    """

    server: str
    configuration: Any

    def headers(self) -> dict[str, str]:
        """Return the header that says who we are, none when a client certificate does."""
        named = self.configuration.get_api_key_with_prefix
        token = named("BearerToken") or named("authorization")
        if not token:
            return {}
        return {"Authorization": token if " " in token else f"Bearer {token}"}

    def build_ssl_context(self) -> ssl.SSLContext:
        """Trust the cluster's authority and present the client certificate, if there is one."""
        context = ssl.create_default_context(cafile=self.configuration.ssl_ca_cert)
        if self.configuration.cert_file:
            context.load_cert_chain(self.configuration.cert_file, self.configuration.key_file)
        if not self.configuration.verify_ssl:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def open_session(
        self, *, limit: int, trace: aiohttp.TraceConfig | None = None
    ) -> aiohttp.ClientSession:
        """Open a session with a limited number of connections, in the running event loop."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=limit, ssl=self.build_ssl_context()),
            middlewares=(self._authorize,),
            headers={"User-Agent": USER_AGENT},
            trace_configs=[trace] if trace else None,
        )

    async def _authorize(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        request.headers.update(self.headers())
        return await handler(request)


def load_connection(kubeconfig: str | None = None) -> Connection:
    """Find the API server: KUBECONFIG, else the pod's service account, else `~/.kube/config`.

    Args:
        kubeconfig: What counts instead of the environment variable KUBECONFIG.

    Raises:
        NoClusterError: None of them leads to one.
    """
    configuration = client.Configuration()
    # Given by name: the library reads the variable only once, when it is imported.
    kubeconfig = kubeconfig or os.environ.get("KUBECONFIG")
    try:
        if not kubeconfig and "KUBERNETES_SERVICE_HOST" in os.environ:
            config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]
        else:
            config.load_kube_config(kubeconfig, client_configuration=configuration)  # type: ignore[no-untyped-call]
    except (config.ConfigException, OSError) as error:
        raise NoClusterError(
            f"no API server is configured ({error}); set KUBECONFIG or run in a cluster"
        ) from None
    return Connection(server=configuration.host.rstrip("/"), configuration=configuration)
