"""Explanations by a server: they come from a process of their own, and disturb nothing."""

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.neighbors import KNeighborsClassifier

from regisseur_contract.rehearsal import Word
from regisseur_serving.core.explaining import MOST_PASSES
from support.eventually import eventually
from support.fuzzing import SECRET
from support.model_folders import ModelFolder, save
from support.serving_process import Reply, ServingProcess, run_rehearse

pytestmark = pytest.mark.timeout(150, func_only=True)
"""Most of that is for imports on a busy machine."""

EXPLAIN = {"REGISSEUR_EXPLAIN": "true", "REGISSEUR_EXPLAIN_BUDGET_SECONDS": "10"}
LIBRARY = "llvmlite"
"""What the library that explains brings with it, and nothing else does."""


@pytest.fixture(scope="module")
def tried_folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """Return a model whose shares are found by trying, which can be made to take its time."""
    data, target = load_wine(return_X_y=True, as_frame=True)
    return save(KNeighborsClassifier(), data, target, tmp_path_factory.mktemp("tried") / "model")


@pytest.fixture(scope="module")
def tried(
    tried_folder: ModelFolder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServingProcess]:
    """Return a server of that model."""
    with run(tried_folder, tmp_path_factory.mktemp("server")) as server:
        yield server


def run(folder: ModelFolder, directory: Path, **options: Any) -> ServingProcess:
    """Return a server that explains."""
    settings = EXPLAIN | options.pop("settings", {})
    return ServingProcess(folder.path, directory, settings=settings, **options)


def ask(server: ServingProcess, body: object) -> Reply:
    """Have rows explained, by a process that may have to be started for it."""
    server.wait_until_ready()
    replies: list[Reply] = []

    def is_started() -> bool:
        replies.append(server.ask("/explain", body))
        return replies[-1].status != 503

    eventually(is_started, deadline_seconds=100, describe=lambda: str(replies[-1:]))
    return replies[-1]


def find_child(server: ServingProcess) -> int:
    """Return the process that explains, or 0 for none."""
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else 0


def is_there(process: int) -> bool:
    """Tell whether a process is there, and not only its remains."""
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False


def many_rows(server: ServingProcess, folder: ModelFolder) -> list[dict[str, Any]]:
    """Return rows that take a third of what the server plans with, each in all its passes."""
    refused = ask(server, {"records": folder.records(100) * 200})
    assert refused.status == 422, refused
    (problem,) = refused.json["detail"]
    found = re.fullmatch(r"At most (\d+) rows can be explained within .*", problem["msg"])
    assert found, problem
    return (folder.records(100) * 200)[: max(1, int(found[1]) // (3 * MOST_PASSES))]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("forest_folder", ["tree", "probability", [0, 1, 2]]),
        ("linear_folder", ["linear", "margin", [0, 1, 2]]),
        ("mixed_folder", ["permutation", "probability", ["blue2", "blue4", "red1", "red3"]]),
        ("outputs_folder", ["linear", "value", ["0", "1"]]),
    ],
)
def test_rows_are_explained(
    kind: str, told: list[Any], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder: ModelFolder = request.getfixturevalue(kind)
    with run(folder, tmp_path) as server:
        reply = ask(server, {"records": folder.records(3)})
        assert reply.status == 200, reply
        found = reply.json
        assert list(found) == [
            *("method", "explained", "feature_names", "output_names", "base_values", "values"),
            *("predictions", "model"),
        ]
        assert [found["method"], found["explained"], found["output_names"]] == told
        assert found["feature_names"] == list(folder.data.columns)
        assert found["predictions"] == folder.predictions[:3]
        assert found["model"] == {"name": "wine", "version": "7", "run_id": "r-7"}
        shape = (3, len(folder.data.columns), len(told[2]))
        assert np.array(found["values"]).shape == shape
        if "probability" in told:
            body = {"records": folder.records(3), "probabilities": True}
            answers = server.ask("/predict", body).json["probabilities"]
            sums = np.array(found["base_values"]) + np.array(found["values"]).sum(axis=1)
            np.testing.assert_allclose(sums, answers, atol=1e-9)
        columns = {name: folder.data[name].tolist()[:3] for name in folder.data.columns}
        assert server.ask("/explain", {"columns": columns}).json == found


def test_the_server_itself_never_imports_the_library(
    tried: ServingProcess, tried_folder: ModelFolder
) -> None:
    assert ask(tried, {"records": tried_folder.records(1)}).status == 200
    libraries = Path(f"/proc/{tried.process.pid}/maps").read_text()
    assert LIBRARY not in libraries
    assert LIBRARY in Path(f"/proc/{find_child(tried)}/maps").read_text()


def test_predictions_are_answered_during_a_long_explanation(
    tried: ServingProcess, tried_folder: ModelFolder
) -> None:
    rows = many_rows(tried, tried_folder)
    body = {"records": tried_folder.records(1)}
    with ThreadPoolExecutor(1) as pool:
        explanation = pool.submit(ask, tried, {"records": rows})
        answered = 0
        while not explanation.done():
            assert tried.ask("/predict", body).status == 200
            answered += 1
            with suppress(TimeoutError):  # predictions go first, and leave it some time
                explanation.result(timeout=0.02)
    reply = explanation.result()
    assert reply.status == 200
    assert len(reply.json["values"]) == len(rows)
    assert answered > 5


def test_only_so_many_requests_wait(tried: ServingProcess, tried_folder: ModelFolder) -> None:
    body = {"records": tried_folder.records(1)}
    assert ask(tried, body).status == 200
    child = find_child(tried)
    os.kill(child, signal.SIGSTOP)
    with ThreadPoolExecutor(12) as pool:
        replies = [pool.submit(tried.ask, "/explain", body) for _ in range(12)]
        try:
            eventually(lambda: [r.done() for r in replies].count(True) == 3, deadline_seconds=10)
            refused = [reply.result() for reply in replies if reply.done()]
        finally:
            os.kill(child, signal.SIGCONT)
    assert [(reply.status, reply.headers["retry-after"]) for reply in refused] == [(429, "1")] * 3
    assert [reply.result().status for reply in replies].count(200) == 9


def test_what_does_not_end_in_time_is_ended(tried_folder: ModelFolder, tmp_path: Path) -> None:
    body = {"records": tried_folder.records(1)}
    settings = {"REGISSEUR_EXPLAIN_BUDGET_SECONDS": "1.5"}
    with run(tried_folder, tmp_path, settings=settings) as server:
        assert ask(server, body).status == 200
        child = find_child(server)
        os.kill(child, signal.SIGSTOP)
        started = time.monotonic()
        late = server.ask("/explain", body)
        assert late.status == 504
        assert late.json["detail"][0]["msg"].startswith("The explanation took longer than 1.5 s")
        assert 1.5 <= time.monotonic() - started < 10
        assert not is_there(child)
        assert ask(server, body).status == 200
        assert find_child(server) != child


def test_a_process_that_is_killed_is_told_of_and_followed_by_another(
    tried: ServingProcess, tried_folder: ModelFolder
) -> None:
    body = {"records": tried_folder.records(1)}
    assert ask(tried, body).status == 200
    child = find_child(tried)
    os.kill(child, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(tried.ask, "/explain", body)
        with pytest.raises(TimeoutError):
            reply.result(timeout=0.5)
        os.kill(child, signal.SIGKILL)
    assert (reply.result().status, reply.result().headers["retry-after"]) == (503, "1")
    assert "What explains has ended (signal 9)" in reply.result().json["detail"][0]["msg"]
    assert tried.ask("/predict", body).status == 200
    assert ask(tried, body).status == 200
    assert find_child(tried) != child


def test_the_process_comes_when_it_is_needed_and_goes_with_the_server(
    tried_folder: ModelFolder, tmp_path: Path
) -> None:
    body = {"records": tried_folder.records(1)}
    with run(tried_folder, tmp_path) as server:
        server.wait_until_ready()
        assert server.ask("/model").json["explains"] is True
        assert server.ask("/predict", body).status == 200
        assert find_child(server) == 0
        assert ask(server, body).status == 200
        child = find_child(server)
        os.kill(child, signal.SIGSTOP)  # it could not do anything about it by itself
    eventually(lambda: not is_there(child), deadline_seconds=10)


def test_an_explanation_is_finished_before_the_server_ends(
    tried_folder: ModelFolder, tmp_path: Path
) -> None:
    with run(tried_folder, tmp_path) as server:
        rows = many_rows(server, tried_folder)
        child = find_child(server)
        with ThreadPoolExecutor(1) as pool:
            reply = pool.submit(server.ask, "/explain", {"records": rows})
            with pytest.raises(TimeoutError):
                reply.result(timeout=0.3)
            server.terminate()
            assert reply.result().status == 200
            assert reply.result().headers["connection"] == "close"
        assert server.wait() == 0
        eventually(lambda: not is_there(child), deadline_seconds=10)


HIDE = (
    "import runpy, sys; sys.modules['shap'] = None; sys.argv[1:] = ['serve'];"
    "runpy.run_module('regisseur_serving', run_name='__main__')"
)


def test_an_image_without_the_library_says_so(tried_folder: ModelFolder, tmp_path: Path) -> None:
    reason = "the image has no library for it; build it with --build-arg EXTRAS=explain"
    with run(tried_folder, tmp_path, command=(sys.executable, "-c", HIDE)) as server:
        reply = ask(server, {"records": tried_folder.records(1)})
        assert reply.status == 501
        assert reply.json["detail"][0]["msg"] == (
            f"Predictions of this model are not explained: {reason}"
        )
        described = server.ask("/model").json
        assert (described["explains"], described["explain_reason"]) == (False, reason)
        assert server.ask("/predict", {"records": tried_folder.records(1)}).status == 200


def test_a_model_that_cannot_be_explained_says_so_and_is_not_tried_again(
    text_folder: ModelFolder, tmp_path: Path
) -> None:
    with run(text_folder, tmp_path) as server:
        replies = [ask(server, {"rows": ["so bad"]}) for _ in range(2)]
        assert [reply.status for reply in replies] == [501, 501]
        assert "the model takes one text a row" in replies[0].json["detail"][0]["msg"]
        assert find_child(server) == 0
        assert server.ask("/model").json["explains"] is False
        log = server.log.read_text()
    assert "Traceback" not in log


def test_values_that_the_model_refuses_are_told_nowhere(
    mixed_folder: ModelFolder, tmp_path: Path
) -> None:
    with run(mixed_folder, tmp_path) as server:
        reply = ask(server, {"records": [{"size": 1, "color": SECRET}]})
        assert reply.status == 422
        (problem,) = reply.json["detail"]
        assert problem["msg"] == "The model's answers to these values cannot be explained"
        assert SECRET not in server.log.read_text()


# ---- the rehearsal -----------------------------------------------------------------------------


def test_a_rehearsal_explains_the_example_as_the_server_would(forest_folder: ModelFolder) -> None:
    usual = run_rehearse(forest_folder.path)[1]
    ended, verdict = run_rehearse(forest_folder.path, **EXPLAIN)
    assert usual is not None
    assert verdict is not None
    assert (ended.returncode, verdict.word, verdict.message) == (0, Word.PASSED, "")
    assert (verdict.explanations, verdict.explain_reason) == ("tree", "")
    assert "explained by method tree" in ended.stdout
    assert (usual.explanations, usual.explain_reason) == ("", "")
    assert verdict.memory_bytes > usual.memory_bytes + 100 * 2**20


def test_a_model_that_is_not_explained_passes_its_rehearsal_which_says_why(
    text_folder: ModelFolder,
) -> None:
    ended, verdict = run_rehearse(text_folder.path, **EXPLAIN)
    assert verdict is not None
    assert (ended.returncode, verdict.word) == (0, Word.PASSED)
    assert verdict.explanations == ""
    assert verdict.explain_reason == "the model takes one text a row, and shares are of columns"
    assert verdict.message == f"predictions are not explained: {verdict.explain_reason}"


def test_an_image_without_the_library_passes_the_rehearsal_which_says_so(
    linear_folder: ModelFolder, tmp_path: Path
) -> None:
    (tmp_path / "shap.py").write_text("raise ImportError")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    ended, verdict = run_rehearse(linear_folder.path, PYTHONPATH=path, **EXPLAIN)
    assert verdict is not None
    assert (ended.returncode, verdict.explanations) == (0, "")
    assert verdict.explain_reason.startswith("the image has no library for it")
