"""kopf's requests tell whether its watch lives, and when it listed anew."""

import pytest

from regisseur_operator.handlers.requests import WatchRequests

PATH = "/apis/regisseur.dev/v1alpha1/modeldeployments"


class Watched:
    """The requests of one life of kopf, on a clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.lists = 0
        self.requests = WatchRequests(self._count, monotonic=lambda: self.now)

    def _count(self) -> None:
        self.lists += 1

    def request(self, status: int = 200, *, is_list: bool = False, path: str = PATH) -> None:
        """Have a request answered."""
        self.requests.note(path, is_list=is_list, status=status)


@pytest.fixture
def watched() -> Watched:
    """Return a life that has just begun."""
    return Watched()


def test_a_watch_that_goes_on_lives(watched: Watched) -> None:
    for _ in range(10):
        watched.request()
        watched.now += 120

    assert not watched.requests.are_over


def test_a_watch_that_is_not_renewed_is_over(watched: Watched) -> None:
    watched.request()
    watched.now += 151

    assert watched.requests.are_over


def test_one_that_never_begins_is_over(watched: Watched) -> None:
    watched.request(path="/apis")
    watched.now += 31

    assert watched.requests.are_over


@pytest.mark.parametrize("status", [403, 404, 500])
def test_one_that_is_refused_and_not_tried_again_is_over(watched: Watched, status: int) -> None:
    watched.request()
    watched.request(status)
    assert not watched.requests.are_over
    watched.now += 31

    assert watched.requests.are_over


def test_one_that_is_refused_for_a_while_lives(watched: Watched) -> None:
    watched.request()
    watched.request(503)
    watched.now += 20
    watched.request()
    watched.now += 100

    assert not watched.requests.are_over


def test_one_that_finds_no_server_lives_as_long_as_it_tries(watched: Watched) -> None:
    watched.request()
    for _ in range(100):
        watched.now += 8
        watched.requests.note_fault(PATH)

    assert not watched.requests.are_over


def test_each_list_is_told_and_no_watch(watched: Watched) -> None:
    watched.request(is_list=True)
    watched.request()
    watched.request(is_list=True)
    watched.request(410, is_list=True)
    watched.request(is_list=True, path="/apis")

    assert watched.lists == 2


def test_each_of_several_namespaces_has_to_live() -> None:
    now = [0.0]
    lists: list[None] = []
    requests = WatchRequests(
        lambda: lists.append(None), namespaces=("a", "b"), monotonic=lambda: now[0]
    )
    paths = [PATH.replace("modeldeployments", f"namespaces/{n}/modeldeployments") for n in "ab"]
    for path in paths:
        requests.note(path, is_list=True, status=200)
    assert len(lists) == 2
    requests.note(paths[1], is_list=False, status=403)
    now[0] += 31
    requests.note(paths[0], is_list=False, status=200)

    assert requests.are_over
