"""What can be trained: one LightningModule per thing, its maths in the rooms beside it.

A task is built with its data; `conclude(folder, split, tell)` says, once it is trained, what it is worth.

    sign  text_space              what is trained
    optimiser  schedule           how its weights move
    start  reference/             what it begins with beside random weights
    fitting  callbacks/           one training, and what happens beside its steps
    journal  checkpoint  skipped  what is kept of it: figures, weights, what was left out
    judging/                      what it is worth, on the way and in the end
    parallel/                     several processes that train one model
"""
