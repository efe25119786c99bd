"""Scores that count what runs of words or characters a hypothesis shares with its references, as sacrebleu does."""
