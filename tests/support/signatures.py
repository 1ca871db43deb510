"""Signatures of models in one line."""

from regisseur_serving.core.signature import Column, ColumnType, Signature, recall_signature


def build_signature(**types: str) -> Signature:
    """Return a signature of named columns; a type that ends with ? is optional."""
    return Signature(
        tuple(
            Column(name, ColumnType(kind.rstrip("?")), is_required=not kind.endswith("?"))
            for name, kind in types.items()
        )
    )


def build_rows(*types: str) -> Signature:
    """Return a signature of rows of values without names."""
    columns = (Column(str(number), ColumnType(kind)) for number, kind in enumerate(types))
    return Signature(tuple(columns), has_names=False)


def build_undeclared(*names: str, width: int | None = None) -> Signature:
    """Return what is known of a model without a signature."""
    return recall_signature(list(names) or None, width)
