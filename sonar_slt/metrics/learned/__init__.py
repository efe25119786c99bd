"""Scores by trained models, whose checkpoints lie in local folders: nothing is fetched, and nothing is trained."""
