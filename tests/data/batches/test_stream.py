"""A stream of batches: where it begins, and that its workers end with the training that they work for."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from functools import partial
from itertools import count, islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torch.utils.data._utils import worker as torch_worker

from sonar_slt.data.batches.stream import Streamed, loader
from tests.forked import forked


class Numbered(Streamed[int]):
    """Batches that are their numbers."""

    def batch(self, number: int) -> int:
        return number


def training(processed: int) -> Any:
    progress = SimpleNamespace(total=SimpleNamespace(processed=processed))
    loop = SimpleNamespace(epoch_loop=SimpleNamespace(batch_progress=progress))
    return SimpleNamespace(global_rank=0, world_size=1, fit_loop=loop)


def test_each_worker_makes_its_own_and_none_is_lost() -> None:
    for workers in (0, 1, 2):
        assert list(islice(loader(abs, partial(count, 5), workers=workers), 7)) == list(range(5, 12))
        assert list(loader(abs, partial(iter, range(5)), workers=workers)) == list(range(5))


def test_another_pass_goes_on_where_the_training_is() -> None:
    data = Numbered()
    data.trainer = training(0)
    batches = data.train_dataloader()
    assert list(islice(batches, 3)) == [0, 1, 2]
    data.trainer = training(3)
    assert list(islice(batches, 3)) == [3, 4, 5], "Lightning asks anew after limit_train_batches"
    assert data.state_dict() == {"served": 3}


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes as Linux has them")
def test_workers_end_when_their_training_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_worker, "MP_STATUS_CHECK_INTERVAL", 0.2)  # seconds, after which each looks for its parent
    said = tmp_path / "said"

    def train() -> None:
        batches = iter(loader(lambda number: bytes(10**6), count, workers=2))
        next(batches)
        print(*(child.pid for child in multiprocessing.active_children()), flush=True)
        time.sleep(60)

    begun = forked(train, said)
    deadline = time.monotonic() + 60
    while not said.is_file() or ("\n" not in said.read_text() and time.monotonic() < deadline):
        time.sleep(0.05)
    workers = [int(word) for word in said.read_text().split()]
    assert len(workers) == 2 and all(map(alive, workers))
    begun.kill()
    begun.join()
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, workers))


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
        return "zombie" not in Path(f"/proc/{process}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
