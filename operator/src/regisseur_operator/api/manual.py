"""docs/conditions.md: what conditions, phases and reasons mean and what to do about them.

The texts are in manual.toml. Only what writes and checks the files of the checkout reads them;
the operator itself has its messages, which know more than a manual.
"""

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

_TEXTS: Final = Path(__file__).with_name("manual.toml")

_INTRODUCTION: Final = """\
<!-- Generated from operator/src/regisseur_operator/api/manual.toml. Do not edit: change the texts
     there and run `make generate`. -->
# Conditions and reasons

`kubectl get mdep` shows one word for the state, the phase. `kubectl describe mdep <name>` shows the
conditions: each has a status, a reason, which is one of the words below, and a message that says
what is the case here and what to do. Programs go by conditions and reasons, never by the phase or
by messages:

```
kubectl wait --for=condition=Ready mdep/wine --timeout=10m
```

A reason that is not on this page comes from a newer operator.
"""


class _Text(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class ConditionText(_Text):
    """What a condition is about, and what each status means; empty for a status it never has."""

    about: str
    true: str = Field(alias="True")
    false: str = Field(default="", alias="False")
    unknown: str = Field(default="", alias="Unknown")


class ReasonText(_Text):
    """What a reason means, and what a person can do about it; empty where nothing has to be."""

    meaning: str
    remedy: str = ""


class ReasonGroup(_Text):
    """Reasons that a person looks for together, and where they are seen."""

    title: str
    place: str
    reason: dict[str, ReasonText]


class Manual(_Text):
    """All texts."""

    condition: dict[str, ConditionText]
    phase: dict[str, str]
    group: tuple[ReasonGroup, ...]


def read_manual() -> Manual:
    """Read the texts."""
    return Manual.model_validate(tomllib.loads(_TEXTS.read_text(encoding="utf-8")))


@cache
def render_manual() -> str:
    """Write the page, the same bytes each time."""
    manual = read_manual()
    lines = [
        *_render_conditions(manual),
        *_render_phases(manual),
        *(line for group in manual.group for line in _render_group(group)),
    ]
    return _INTRODUCTION + "\n".join(lines) + "\n"


def _render_conditions(manual: Manual) -> Iterator[str]:
    yield from ("", "## Conditions", "", "| condition | status | means |", "|---|---|---|")
    for name, text in manual.condition.items():
        yield f"| **{name}** | | {_flat(text.about)} |"
        for status, meaning in (
            ("True", text.true),
            ("False", text.false),
            ("Unknown", text.unknown),
        ):
            if meaning:
                yield f"| | {status} | {_flat(meaning)} |"


def _render_phases(manual: Manual) -> Iterator[str]:
    yield from ("", "## Phases", "", "For people only.", "", "| phase | means |", "|---|---|")
    for name, meaning in manual.phase.items():
        yield f"| {name} | {_flat(meaning)} |"


def _render_group(group: ReasonGroup) -> Iterator[str]:
    yield from ("", f"## {group.title}", "", _flat(group.place), "")
    yield from ("| reason | means | what to do |", "|---|---|---|")
    for name, text in group.reason.items():
        yield f"| `{name}` | {_flat(text.meaning)} | {_flat(text.remedy)} |"


def _flat(text: str) -> str:
    """Put a text into one line: a table's cell has no other."""
    return " ".join(text.split())
