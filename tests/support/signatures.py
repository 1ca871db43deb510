"""Signatures of models in one line."""

from regisseur_serving.core.signature import Column, ColumnType, Signature


def build_signature(**types: str) -> Signature:
    """Return a signature of named columns; a type that ends with ? is optional."""
    return Signature(
        tuple(
            Column(name, ColumnType(kind.rstrip("?")), is_required=not kind.endswith("?"))
            for name, kind in types.items()
        )
    )
