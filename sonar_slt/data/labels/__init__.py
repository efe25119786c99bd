"""What the label files of releases say, and where they lie: tables, spreadsheets, pickles that are never unpickled freely.

The readers of the corpora take it from here; what is odd becomes a fault.
"""
