"""Teacher vectors, computed once and kept on disk: content-addressed, memory-mapped, filled by many processes.

Whoever fills the cache first decides the last bits of a vector; all others read the same.
"""

from sonar_slt.space.cache.segments import CachedVectors
from sonar_slt.space.cache.vector_cache import VectorCache

__all__ = ["CachedVectors", "VectorCache"]
