"""What each step of a clip means among the others: a small transformer, or the space's own encoder."""

from sonar_slt.adapter.context.context import Context
from sonar_slt.adapter.context.sonar import SonarContext
from sonar_slt.adapter.context.transformer import TransformerContext

__all__ = ["Context", "SonarContext", "TransformerContext"]
