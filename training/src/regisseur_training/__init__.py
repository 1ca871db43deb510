"""The DVC stages from data to a registered model version, and its promotion."""
