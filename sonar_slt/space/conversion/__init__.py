"""From SONAR's checkpoints of fairseq and fairseq2 to one transformers folder."""

from sonar_slt.space.conversion.convert import Converted, convert

__all__ = ["Converted", "convert"]
