"""Direct assessment by people who sign: blinded sheets to fill in, and what the ratings say about each system.

A sheet never tells which system said what; the key that does stays with whoever made the sheets.
"""
