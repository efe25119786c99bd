"""The toy world: meanings, the same meanings said in six languages, and signed."""
