"""Measurements of what brings clips to a training: reads, batches, memory over a growing corpus, preparing."""
