"""The doors to the outside: the artifact store, the disk, scikit-learn."""
