"""One training from its config to its record, with the processes beside it, and what has to be there first."""
