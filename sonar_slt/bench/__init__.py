"""Speed on this machine: each fast way against the plain one it replaces, in one process, beside the physical limit.

`timing` measures and `report` shows; the other modules set up what is compared.
"""
