"""Measurements of feature extraction, on videos made for it."""
