"""How clips and their sentences come together in batches: drawn by number, read, seen, said, handed between processes.

`clips.py`, one floor up, is the data module that puts these together.
"""
