"""The page of a sweep: `contents` says what it holds, with all effects reckoned; the scripts beside it draw them."""
