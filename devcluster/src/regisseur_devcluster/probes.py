"""Waiting for parts of the cluster to answer."""

import ssl
import time
import urllib.request
from collections.abc import Callable
from http import HTTPStatus

from regisseur_devcluster.errors import DevclusterError
from regisseur_devcluster.processes import Daemon

POLL_SECONDS = 0.1
ANSWER_SECONDS = 2.0


def wait_for(daemon: Daemon, is_ready: Callable[[], bool], *, seconds: float = 60) -> None:
    """Wait until a background process does its work.

    Raises:
        DevclusterError: It ended, or time is up; the message holds the end of its log.
    """
    deadline = time.monotonic() + seconds
    while not is_ready():
        if daemon.identity is None:
            raise DevclusterError(f"{daemon.name} ended by itself:\n{daemon.last_words()}")
        if time.monotonic() > deadline:
            raise DevclusterError(
                f"{daemon.name} is not ready after {seconds:.0f} s; the end of {daemon.log}:\n"
                f"{daemon.last_words()}"
            )
        time.sleep(POLL_SECONDS)


def wait_until_answers(url: str, *, seconds: float = 30) -> None:
    """Wait until a health address of this machine says 200.

    Raises:
        DevclusterError: Time is up.
    """
    deadline = time.monotonic() + seconds
    while not answers(url):
        if time.monotonic() > deadline:
            raise DevclusterError(f"{url} does not answer after {seconds:.0f} s")
        time.sleep(POLL_SECONDS)


def answers(url: str) -> bool:
    """Return whether a health address of this machine says 200.

    The question carries no secret and parts of the cluster sign their health certificate
    themselves, so the certificate is not checked; nor does the question go through a proxy.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        with opener.open(url, timeout=ANSWER_SECONDS) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False
