"""What touches the world: files, pictures, git and the MLflow registry."""
