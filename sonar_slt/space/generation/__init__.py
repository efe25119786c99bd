"""From one vector to sentences: greedy, beams and sampling, with the tokens that transformers' `generate` gives.

What attention to a single vector cannot change is computed once and not at each step.
"""

from sonar_slt.space.generation.generate import generate, most_new_tokens, prefixes
from sonar_slt.space.generation.search import Generated, Search
from sonar_slt.space.generation.shortlist import Shortlist

__all__ = ["Generated", "Search", "Shortlist", "generate", "most_new_tokens", "prefixes"]
