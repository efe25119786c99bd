"""What chooses the values of a sweep, trial by trial, in the place of every combination: a study that is kept.

Where the jobs of the trials run is a launcher's matter; what they reached, they write themselves.
"""
