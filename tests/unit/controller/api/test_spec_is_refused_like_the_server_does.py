"""What the API server refuses, the operator refuses with the same words."""

import re

import pytest

from regisseur_operator.api import rules
from regisseur_operator.api.reasons import Reason
from regisseur_operator.api.v1alpha1 import parse_spec
from regisseur_operator.errors import TerminalError
from support.refused_specs import Refused, find_refused

REFUSED = list(find_refused())
OLDER = {
    *("NAME_RULE", "VERSION_RULE", "INT_OR_PERCENT_RULE", "QUANTITY_RULE", "ONE_REFERENCE_RULE"),
    *("MODEL_NAME_RULE", "ALIAS_RULE", "RESERVED_ALIAS_RULE", "IMAGE_RULE", "REQUESTS_RULE"),
    *("STUCK_STRATEGY_RULE", "DEADLINE_RULE"),
}
"""Rules whose cases are written out where the two tests of the whole spec are."""


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.id)
def test_it_is_refused_at_the_same_place_with_the_same_words(case: Refused) -> None:
    with pytest.raises(TerminalError) as caught:
        parse_spec({"spec": case.spec})

    place = re.sub(r"\[(\w+)\]", r".\1", case.place)
    assert caught.value.reason == Reason.INVALID_SPEC
    assert f"{place}: " in f"{caught.value}" or f"{place}." in f"{caught.value}"
    assert case.message in str(caught.value)


def test_every_rule_has_a_spec_that_it_refuses() -> None:
    names = {name for name in vars(rules) if name.endswith("_RULE")}
    refusing = {case.message for case in REFUSED}

    assert not {name for name in names - OLDER if vars(rules)[name][1] not in refusing}
