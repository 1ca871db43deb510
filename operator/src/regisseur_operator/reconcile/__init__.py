"""One reconcile of a ModelDeployment: observe, plan, apply, tell.

Level-triggered and without truth of its own: it may die between any two writes, and the next one
goes on from what the cluster says. The status is written last, once, and also when a write failed.
"""

from regisseur_operator.core.notes import Note
from regisseur_operator.core.observed import Configuration
from regisseur_operator.reconcile.reconciler import Outcome, Reconciler

__all__ = ["Configuration", "Note", "Outcome", "Reconciler"]
