"""What a loader's processes hold for themselves, over a corpus and over one ten times larger.

Private memory is what would be free if the process ended: pages of files that others may read count only while this
process alone has them mapped. Each corpus is served in a fresh process.
"""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sonar_slt.bench.recordings import movements, written
from sonar_slt.bench.serving import SIZE, serving
from sonar_slt.bench.timing import Footprint
from sonar_slt.data.corpora.prepared import Prepared
from sonar_slt.memory import settle
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
    held: list[Mapping[str, int]] = []
    for count in (clips, TIMES * clips):
        root = folder / str(count)
        corpus = written(root, short, count, dtype="float16", language=language, layout=LAYOUT)
        serving(corpus, space, language, folder / "vectors", workers=0)  # the vectors are computed here, not there
        held.append(in_a_fresh_process(opened, root, folder / "vectors"))
    for who in held[0]:
        name = f"private memory of the {who} over {clips:,} and {TIMES * clips:,} clips"
        yield Footprint(name, held[0][who], held[1][who])


def private(process: int | str = "self") -> int:
    """Bytes that a process holds for itself; 0 where the system does not say."""
    try:
        told = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    return sum(int(size) * 1024 for size in re.findall(r"^Private_(?:Clean|Dirty):\s+(\d+) kB", told, re.MULTILINE))


def in_a_fresh_process(opened: Opened, root: Path, cache: Path) -> Mapping[str, int]:
    """Serve the clips once there; what that process and its worker held for themselves at the end."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(opened, root, cache, there))
    process.start()
    there.close()
    try:
        held: Mapping[str, int] = here.recv()
    finally:
        process.join()
    return held


def _serve(opened: Opened, root: Path, cache: Path, answer: Connection) -> None:
    usual = multiprocessing.get_all_start_methods()[0]  # loaders start workers as they do elsewhere
    multiprocessing.set_start_method(usual, force=True)
    space = opened()
    data = serving(Prepared(root=root), space, space.languages[0], cache, workers=1)
    batches: Any = iter(data.train_dataloader())
    for _ in islice(batches, len(data.rows["train"]) // SIZE):
        pass
    settle()
    [worker] = batches._workers
    answer.send({"training process": private(), "worker": private(worker.pid)})
