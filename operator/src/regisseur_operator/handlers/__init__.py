"""The door to kopf: the shell around the operator and the source of ModelDeployment events."""
