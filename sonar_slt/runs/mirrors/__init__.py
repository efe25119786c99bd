"""Mirrors of a run: the same figures shown elsewhere, by the key `logger=`. Nothing depends on one.

The run folder is written first and whole; a mirror that fails is told once, noted in the record and left out.
"""
