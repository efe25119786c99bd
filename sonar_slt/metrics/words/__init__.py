"""Scores that compare words: which ones are there, in which order, and what it takes to put them right."""
