"""Where the time of a training goes: a callback says when, a stopwatch how long, and a table tells it all."""

from sonar_slt.task.callbacks.profile.profile import Profile

__all__ = ["Profile"]
