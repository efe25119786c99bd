"""What a clip is made from, in a hash: whether a job that goes on may believe what an earlier one noted of it.

No file is opened: names, sizes and times tell that a release was mended meanwhile.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

from sonar_slt.data.faults import Fault
from sonar_slt.data.pose import stored
from sonar_slt.data.release import Entry, Media
from sonar_slt.data.store.shards import DESCRIBED


def basis(entry: Entry, faults: Sequence[Fault]) -> str:
    """A hash of an entry, of what its labels are blamed for, and of its files as they lie there."""
    files = [_stamps(media) for media in (entry.pictures, entry.pose) if media]
    told = repr((entry, list(faults), files))
    return hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _stamps(media: Media) -> list[tuple[str, int, int]]:
    """Name, size and time of a file, or of all files of a folder; nothing of what is not there.

    Of a clip in a store they are those of the store's own description, which is written with its last clip.
    """
    try:
        if media.kind == "pose" and (store := stored.store_of(media.path)):
            found = (store / DESCRIBED).stat()
            return [(DESCRIBED, found.st_size, found.st_mtime_ns)]
        if not media.path.is_dir():
            found = media.path.stat()
            return [("", found.st_size, found.st_mtime_ns)]
        with os.scandir(media.path) as files:
            stats = [(file.name, file.stat(follow_symlinks=False)) for file in files]
        return sorted((name, found.st_size, found.st_mtime_ns) for name, found in stats)
    except (OSError, ValueError):  # a path may hold anything
        return []
