"""What a loader's processes hold for themselves, over a corpus and over one ten times larger.

What a worker shares with the process that it was forked from counts in both: either would hold it alone. Pages of files
count only while one process alone has them mapped. Each corpus is served in a fresh process.
"""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sonar_slt.bench.data.batches import SIZE, passed, serving
from sonar_slt.bench.data.recordings import movements, written
from sonar_slt.bench.memory import in_a_fresh_process
from sonar_slt.bench.timing import Footprint
from sonar_slt.data.corpora.prepared import Prepared
from sonar_slt.processes import release_memory
from sonar_slt.space import SentenceSpace

FRAMES, POINTS, LAYOUT = 6, 102, "signing"
TIMES = 10

Opened = Callable[[], SentenceSpace]
"""Opens the space of the sentences; it is called in another process, too."""


def bench_growth(opened: Opened, folder: Path, *, clips: int) -> Iterator[Footprint]:
    """The training process and its worker after a whole pass over the clips."""
    space = opened()
    language = space.languages[0]
    short = movements(FRAMES, POINTS)
    sizes: list[Mapping[str, int]] = []
    for count in (clips, TIMES * clips):
        root = folder / str(count)
        corpus = written(root, short, count, dtype="float16", language=language, layout=LAYOUT)
        serving(corpus, space, language, folder / "vectors", workers=0)  # the vectors are computed here, not there
        sizes.append(in_a_fresh_process(served, opened, root, folder / "vectors"))
    for who in sizes[0]:
        name = f"memory of the {who} over {clips:,} and {TIMES * clips:,} clips"
        yield Footprint(name, sizes[0][who], sizes[1][who])


def held(process: int | str = "self") -> int:
    """Bytes that a process holds, in pages of its own or of those that a fork left to both; 0 where nobody says."""
    try:
        told = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    sizes = re.findall(r"^(?:Private_Clean|Private_Dirty|Shared_Dirty):\s+(\d+) kB", told, re.MULTILINE)
    return sum(int(size) * 1024 for size in sizes)


def served(opened: Opened, root: Path, cache: Path) -> Mapping[str, int]:
    """Serve the clips once; what this process and its worker hold for themselves at the end."""
    usual = multiprocessing.get_all_start_methods()[0]  # loaders start workers as they do elsewhere
    multiprocessing.set_start_method(usual, force=True)
    space = opened()
    data = serving(Prepared(root=root), space, space.languages[0], cache, workers=1)
    batches: Any = iter(data.train_dataloader())
    passed(batches, len(data.rows["train"]) // SIZE)
    release_memory()
    [worker] = batches._workers
    return {"training process": held(), "worker": held(worker.pid)}
