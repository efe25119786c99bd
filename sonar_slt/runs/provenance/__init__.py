"""Where a run came from, written into its record: what it computes, its code and packages, its process.

Everything is read from outside (git, package metadata, /proc, the variables of SLURM); nothing is imported for it.
"""
