"""The record of a run: who it is, where it came from, how it ended, and a page to look at it.

This room reads and writes plain json, yaml and text; it imports neither torch nor hydra, so listing runs is quick.
"""
