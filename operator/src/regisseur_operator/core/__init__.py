"""Decisions as pure functions: values in, values out, no I/O, no clock, no framework.

The way of a reconcile through here: `observed` (what is known) → `resolution` (which version the
reference names) → `rollout` (which pods are to run) → `planner` (what to write) → `status` and
`conditions` (what to tell). Manifests are built one layer up, in `resources`.
"""
