"""One reader per corpus, the toy world among them; each ends in a manifest and a clip store."""
