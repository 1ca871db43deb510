"""Amounts of resources in Kubernetes' notation, such as 500m, 1 or 512Mi."""

import re
from decimal import Decimal
from typing import Final

_QUANTITY: Final = re.compile(
    r"(?P<number>[0-9]+\.?[0-9]*|\.[0-9]+)"
    r"(?:(?P<suffix>[KMGTPE]i|[numkMGTPE]?)|[eE](?P<exponent>[+-]?[0-9]{1,3}))",
    re.ASCII,
)
_DECIMAL_SUFFIXES: Final = {
    suffix: Decimal(10) ** power
    for suffix, power in zip("num kMGTPE", (-9, -6, -3, 0, 3, 6, 9, 12, 15, 18), strict=True)
}
_BINARY_SUFFIXES: Final = {
    f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)
}
_SUFFIXES: Final = {**_DECIMAL_SUFFIXES, **_BINARY_SUFFIXES, "": Decimal(1)}


def parse_quantity(text: str) -> Decimal:
    """Return the amount that a quantity stands for; `500m` is 0.5 and `1Ki` is 1024.

    Raises:
        ValueError: It is not a quantity, or negative.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a quantity")
    number = Decimal(match["number"])
    if match["exponent"] is not None:
        return number.scaleb(int(match["exponent"]))
    return number * _SUFFIXES[match["suffix"]]
