"""How older papers scored: one class per corpus, for comparisons with them and for nothing else.

None of these is a score of ours. They tokenise, lowercase or leave out as the papers' tools did, and say so in the
signature.
"""

from sonar_slt.metrics.protocols.csl_daily import CslDaily
from sonar_slt.metrics.protocols.how2sign import How2sign
from sonar_slt.metrics.protocols.phoenix14t import Phoenix14t
from sonar_slt.metrics.protocols.protocol import Protocol

__all__ = ["CslDaily", "How2sign", "Phoenix14t", "Protocol"]
