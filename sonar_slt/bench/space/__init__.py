"""Measurements of the sentence space alone: encode, decode, likelihood, a student's step, a shortlist."""
