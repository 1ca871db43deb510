"""Measures the operator on a real API server, beside a raw client that does the same writes."""
