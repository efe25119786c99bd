"""What the label files of releases say, and where files lie: tables, spreadsheets, pickles read without unpickling.

The readers of the corpora take it from here; what is odd becomes a fault.
"""
