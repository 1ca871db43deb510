"""FastAPI server for MLflow model folders; it never imports mlflow."""
