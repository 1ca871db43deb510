"""The parts that turn a control plane into a cluster whose pods really run."""
