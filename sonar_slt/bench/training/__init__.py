"""Measurements of a sign training's step: overhead, waiting, memory, and the step of the reference tools beside it."""
