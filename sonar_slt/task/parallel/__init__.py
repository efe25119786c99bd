"""Several processes that train one model: who they are and who starts them, one loss over all of them, cut weights.

With one process nothing of this is in the way: `ALONE` answers as a crowd of one.
"""
