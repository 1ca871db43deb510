"""The page of conditions and reasons says the same as the code, and nothing of it is dead."""

import re
from pathlib import Path

import pytest

from regisseur_contract.rehearsal import Word
from regisseur_operator.api.crd import build_crd
from regisseur_operator.api.manual import ReasonText, read_manual, render_manual
from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.status import ConditionType, Phase

MANUAL = read_manual()
ENTRIES = [(name, text) for group in MANUAL.group for name, text in group.reason.items()]
SOURCES = Path(__file__).parents[4] / "operator" / "src" / "regisseur_operator"
STATUS = build_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]


def test_every_reason_is_told_once() -> None:
    assert sorted(name for name, _ in ENTRIES) == sorted(Reason)


def test_every_condition_and_every_phase_is_told() -> None:
    assert list(MANUAL.condition) == list(ConditionType)
    assert list(MANUAL.phase) == list(Phase)


@pytest.mark.parametrize("about", ConditionType)
def test_each_status_of_a_condition_is_told(about: ConditionType) -> None:
    text = MANUAL.condition[about]
    statuses = [text.false, text.unknown]

    assert text.true
    is_transient = about in (ConditionType.STALLED, ConditionType.RECONCILING)
    assert [bool(status) for status in statuses] == [not is_transient] * 2


@pytest.mark.parametrize(("name", "text"), ENTRIES, ids=[name for name, _ in ENTRIES])
def test_texts_are_whole_sentences(name: str, text: ReasonText) -> None:
    assert re.fullmatch(r"[A-Z][a-zA-Z]+", name)
    assert text.meaning.endswith(".")
    assert not text.remedy or text.remedy.endswith(".")


def test_kubectl_explain_names_every_condition_and_every_phase() -> None:
    conditions = STATUS["properties"]["conditions"]
    about = conditions["items"]["properties"]["type"]["description"]

    assert all(word in conditions["description"] and word in about for word in ConditionType)
    assert all(word in STATUS["properties"]["phase"]["description"] for word in Phase)


def test_a_text_that_spans_lines_is_one_cell_of_the_table() -> None:
    rows = [line for line in render_manual().splitlines() if line.startswith("|")]

    assert all(row.endswith("|") and row.count("|") == 4 for row in rows if "`" in row)
    assert len(rows) > len(Reason) + len(ConditionType) + len(Phase)


def test_every_reason_is_given_by_some_code() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for path in SOURCES.rglob("*.py")
        if path.parent.name != "api"
    )
    given = set(re.findall(r"\bReason\.([A-Z_]+)", code))
    said_by_rehearsals = {Reason(word) for word in Word if word is not Word.PASSED}

    dead = {reason for reason in Reason if reason.name not in given} - said_by_rehearsals
    assert not dead, f"nothing gives {sorted(dead)}"
