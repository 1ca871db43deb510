"""Serve an MLflow model folder over HTTP without MLflow, and fetch that folder first."""
