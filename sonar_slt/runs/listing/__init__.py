"""The runs of a folder on the screen or in a file: which are meant, in which order, one line each, or one in full."""
