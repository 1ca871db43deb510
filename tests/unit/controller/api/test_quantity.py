"""Quantities are read as Kubernetes reads them."""

from decimal import Decimal

import pytest

from regisseur_operator.api.quantity import parse_quantity


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", "0"),
        ("500m", "0.5"),
        ("1.5", "1.5"),
        ("1.", "1"),
        (".5", "0.5"),
        ("2k", "2000"),
        ("1Ki", "1024"),
        ("512Mi", "536870912"),
        ("1e3", "1000"),
        ("1E3", "1000"),
        ("1E", "1000000000000000000"),
        ("100n", "0.0000001"),
    ],
)
def test_a_quantity_stands_for_an_amount(text: str, amount: str) -> None:
    assert parse_quantity(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["", "half", "1GB", "-1", "1 Gi", "1ki", "١", "1e", "."])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity"):
        parse_quantity(text)
