"""One reader per corpus, the toy world among them; each ends in a manifest and a clip store.

A reader says what the labels say; how a clip is prepared is the same for all.
"""
