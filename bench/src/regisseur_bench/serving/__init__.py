"""The model server beside other model servers, one core each, one load generator on the other."""
