"""Pictures read ahead: the same in processes as here, faults and errors at their place, and no process left behind."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sonar_slt.data.faults import Fault
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError
from sonar_slt.features.extraction.feed import BLOCK, Feed
from tests.features.filmed import FilmedCorpus

LENGTHS = [3, 16, 17, 100, 1, 40]


def middle(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return picture[1:3, 1:3]


@pytest.fixture
def corpus(tmp_path: Path) -> FilmedCorpus:
    return FilmedCorpus(tmp_path / "corpus", LENGTHS, {3: 50})


def everything(corpus: FilmedCorpus, workers: int, step: int = 1) -> list[tuple[NDArray[np.uint8], str, list[Fault]]]:
    """The pictures of each clip as far as they came, what broke it off, and the faults that were told."""
    found = []
    with Feed(corpus, middle, step=step, workers=workers) as feed:
        for roll in feed.rolls(list(corpus.rows)):
            blocks, why = [], ""
            try:
                for block in roll:
                    assert len(block) <= BLOCK
                    blocks.append(block)
            except Unreadable as error:
                why = str(error)
            found.append((np.concatenate(blocks), why, list(roll.faults)))
    return found


@pytest.mark.parametrize("step", [1, 3])
def test_processes_bring_what_this_one_would(corpus: FilmedCorpus, step: int) -> None:
    here, there = everything(corpus, 0, step), everything(corpus, 2, step)
    for (pictures, why, faults), (others, reason, told) in zip(here, there, strict=True):
        assert np.array_equal(pictures, others) and why == reason and faults == told
    assert [len(pictures) for pictures, why, _ in here if not why] == [
        -(-n // step) for n in LENGTHS if n != LENGTHS[3]
    ]
    assert "breaks off at frame" in here[3][1] and [fault.kind for fault in here[4][2]] == ["broken_frame"]


def test_a_process_that_dies_is_told_and_waited_for_no_longer(corpus: FilmedCorpus) -> None:
    with Feed(corpus, middle, workers=1) as feed:
        [reader] = feed._readers
        rolls = feed.rolls(list(corpus.rows))
        list(next(rolls))
        os.kill(reader._process.pid or 0, signal.SIGKILL)
        with pytest.raises(UserError, match="ended from outside"):
            for roll in rolls:
                list(roll)


def test_no_process_stays_behind(corpus: FilmedCorpus) -> None:
    feed = Feed(corpus, middle, workers=2)
    pids = [reader._process.pid or 0 for reader in feed._readers]
    list(next(feed.rolls(list(corpus.rows))))
    feed.close()
    time.sleep(0.1)
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
