"""The demo: the whole way of a model from training to an answer, on a real cluster."""
