"""A command from its words to its jobs: sorted, examined, shown or carried out, alone or as a sweep.

What a verb does stands beside this folder, one file each; what its words may be, in `config/`.
"""
