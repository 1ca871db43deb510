"""What two programs of Regisseur must agree on: names, environment, routes, tags.

Nothing here does I/O or depends on anything outside the standard library, so that the
operator, the server and the training code can share it without sharing dependencies.
"""
