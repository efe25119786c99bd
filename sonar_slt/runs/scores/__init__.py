"""The figures that a run reached: read from its record and its logs, titled, and laid out as a table on the screen.

A score of a language is what has a value and a signature; a figure is anything that runs can be compared by.
"""
