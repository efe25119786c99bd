"""What can be trained: one LightningModule per thing, its maths in the rooms beside it.

A task is built with its data; `conclude(folder, split, tell)` says, once it is trained, what it is worth.
"""
