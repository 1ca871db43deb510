"""The outside world behind the ports: the Kubernetes API and MLflow registries over aiohttp."""
