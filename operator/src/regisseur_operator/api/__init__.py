"""The ModelDeployment resource: typed models of what people write and what the operator answers.

The custom resource definition is generated from these models, so a field's description here is
its text in `kubectl explain`.
"""
