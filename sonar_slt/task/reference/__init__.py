"""Checkpoints of the reference tools (GatDeguin/SLT_v2): read as weights of ours, and begun with where they fit."""
