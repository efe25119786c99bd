"""Sweeps: the runs of one, what was swept, which figures they reached, and what each key does to them.

Read from the files that the runs left; the page of a sweep and `sonar-slt table` are made of it.
"""
