"""Corpora: read, stored, and served in batches. This room knows no losses."""
