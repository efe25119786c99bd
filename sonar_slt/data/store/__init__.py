"""The clip store: clips of any length in memory-mapped shards, read at random without copying, written append-only.

Points are normalised before they are stored, so half precision is fine enough (2e-3 shoulder widths at arm's length)
and a training reads from disk what it feeds to the model.

A store is a folder:

=================  ==============================================================================================
points-000.npy ..  the frames of clip after clip, plain npy files of one type and shape; no clip spans two of them
index.npy          int64 (clips, 5): shard, first frame in it, frames, where the id ends in ids.txt, crc of the bytes
ids.txt            the ids in order, one a line
hashes.npy         uint64 (2, clips): the ids' hashes, ascending, and the number of each one's clip
store.json         the shape of a frame, the type, the frames of each shard, a hash of the three files above, and what
                   the clips are: their `layout`, how they were `normalised`, and whatever else the writer told
journal            only while it is being written: a line for each clip that is whole
=================  ==============================================================================================
"""

from sonar_slt.data.store.reading import ClipStore
from sonar_slt.data.store.writing import StoreWriter

__all__ = ["ClipStore", "StoreWriter"]
