"""Kopf operator that follows the MLflow Model Registry and rolls a model server to its versions."""
