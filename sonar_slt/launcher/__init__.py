"""Where the jobs of a sweep run: here one after the other, in processes of their own, or on a cluster.

A launcher starts each job as the command that a person would type for it; what became of it is in the sweep's folder.
"""
