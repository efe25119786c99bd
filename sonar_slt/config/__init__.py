"""From yaml and the command line to checked, plain values, and from those to built parts.

Hydra and OmegaConf live here and in ``cli/`` only; nothing in this room imports torch before something is built.
"""
