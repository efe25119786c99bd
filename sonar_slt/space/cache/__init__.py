"""Teacher vectors, computed once and kept on disk: content-addressed, memory-mapped, filled by many processes."""

from sonar_slt.space.cache.segments import CachedVectors
from sonar_slt.space.cache.vector_cache import VectorCache

__all__ = ["CachedVectors", "VectorCache"]
