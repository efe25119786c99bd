"""What happens beside the steps of a training: the callbacks that every one has, and those that a config adds.

checkpoints, interruption and step_progress are always there; each of the others has its yaml in conf/callbacks/.
"""
