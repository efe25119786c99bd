"""What each step of a clip means among the others: a small transformer, or the space's own encoder.

States (batch, length, dim) go in with a mask and come out in the same shape.
"""

from sonar_slt.adapter.context.context import Context
from sonar_slt.adapter.context.sonar import SonarContext
from sonar_slt.adapter.context.transformer import TransformerContext

__all__ = ["Context", "SonarContext", "TransformerContext"]
