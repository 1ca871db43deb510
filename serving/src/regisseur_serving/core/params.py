"""The params of MLflow's scoring protocol: checked by the model's schema of them.

scikit-learn's methods take none, so their values change nothing; a client that sends a wrong one is
told all the same, as MLflow's own server would.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from regisseur_serving.core.cells import CellError, check_cell
from regisseur_serving.core.signature import Column, ColumnType
from regisseur_serving.errors import Problem


@dataclass(frozen=True)
class Param:
    """One param that a model knows.

    Attributes:
        column: Its name and type, as those of a column.
        is_list: Whether it is a list of values of that type.
    """

    column: Column
    is_list: bool


def parse_params(text: object) -> tuple[Param, ...]:
    """Read the `params` of a signature; what has a type of its own (a date, an object) is left out.

    Nothing is refused here: a model whose params nobody can read predicts as well as any.
    """
    try:
        items = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        items = None
    found = map(_parse_param, items) if isinstance(items, list) else ()
    return tuple(param for param in found if param is not None)


def _parse_param(item: object) -> Param | None:
    if not isinstance(item, Mapping) or not isinstance(item.get("name"), str):
        return None
    try:
        kind = ColumnType(str(item.get("type")))
    except ValueError:
        return None
    return Param(Column(item["name"], kind, is_required=False), item.get("shape") is not None)


def find_wrong_params(
    params: tuple[Param, ...], given: Mapping[str, object] | None
) -> Iterator[Problem]:
    """Yield what is wrong with the params of a request; unknown ones are ignored."""
    for param in params:
        value = given.get(param.column.name) if given else None
        if value is None:
            continue
        try:
            _check(param, value)
        except CellError as error:
            yield Problem(("body",), "schema", f"param {param.column.name!r}: {error.message}")


def _check(param: Param, value: object) -> None:
    if param.is_list and not isinstance(value, list):
        raise CellError("list_type", "Input should be a list")
    for item in value if isinstance(value, list) and param.is_list else [value]:
        check_cell(param.column, item)
