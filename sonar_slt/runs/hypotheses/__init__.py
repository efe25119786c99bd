"""What systems said: read from anyone's files, from a run, or from a bundle that others can check."""
