"""Durations are Go's, and say the same in seconds."""

import pytest

from regisseur_operator.api.duration import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("300ms", 0.3),
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("2h3m4.5s6ms", 7384.506),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "0", "5", "5 m", "-5m", "m", "5d", "5m\n", "5M", "5m5m", "1h٣m"]
)
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)
