"""From SONAR's checkpoints of fairseq and fairseq2 to one transformers folder.

Every key and shape is checked, nothing is unpickled freely, and nothing half-written is left behind.
"""

from sonar_slt.space.conversion.convert import Converted, convert

__all__ = ["Converted", "convert"]
