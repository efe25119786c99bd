"""The toy world: meanings, the same meanings said in six languages, and signed.

Nothing of it lies on disk before it is asked for: everything is drawn from a seed.
"""
