"""What is wrong with a run, read from its scores: known signs of failure, with their figures and what to try."""

from sonar_slt.metrics.diagnosis.signs import Finding, diagnosis

__all__ = ["Finding", "diagnosis"]
