"""Frames out and skeletons back: in order, streamed, and whatever the process at the other end does, nobody waits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError
from sonar_slt.features.skeletons import Holistic, person_faults
from sonar_slt.features.skeletons.mediapipe_holistic import WORKER
from tests.features.skeletons.fake_worker import DIE, EXIT, FAR, HANG, NOBODY, PRINT, REFUSE

ROOT = Path(__file__).parents[3]
FAKE = Path(__file__).with_name("fake_worker.py")


def command() -> list[str]:
    return [sys.executable, "-I", str(FAKE), str(WORKER), str(os.getpid()), "0.5", "0.5"]


@pytest.fixture
def holistic() -> Iterator[Holistic]:
    with Holistic(command(), patience=20) as opened:
        yield opened


def film(pixels: Sequence[int], size: tuple[int, int] = (40, 60)) -> list[np.ndarray]:
    return [np.full((*size, 3), pixel, np.uint8) for pixel in pixels]


def looked_at(points: Sequence[np.ndarray]) -> list[tuple[float, float]]:
    """The first pixel and the number in the clip of each frame that was answered."""
    return [(round(float(found[0, 0])), round(float(found[0, 1]))) for found in points]


def test_every_frame_is_answered_in_order(holistic: Holistic) -> None:
    for pixels in ([5, 3, 9, 1], [7], [], [2, 2, 2]):
        points = list(holistic.skeleton(film(pixels)))
        assert looked_at(points) == [(pixel, number) for number, pixel in enumerate(pixels)]
        assert all(found.shape == (543, 3) and found.dtype == np.float32 for found in points)


def test_points_are_pixels_with_a_confidence(holistic: Holistic) -> None:
    [first, far] = holistic.skeleton(film([10, FAR]))
    assert first[0].tolist() == [10, 0, 0.5] and first[1, 2] == 1
    assert not first[33:522].any()  # no face, no left hand
    np.testing.assert_array_equal(first[522:], np.tile(np.float32([30, 50, 1]), (21, 1)))  # beyond the picture
    assert not far[2:5].any()
    assert far[5, 2] == 1


def test_frames_of_any_size(holistic: Holistic) -> None:
    sizes = [(1, 1), (1080, 1920), (33, 7), (2160, 3840)]
    frames = [film([number], size)[0] for number, size in enumerate(sizes)]
    frames.append(np.ascontiguousarray(film([9])[0].transpose(1, 0, 2)).transpose(1, 0, 2))
    assert [at for at, _ in looked_at(list(holistic.skeleton(frames)))] == [0, 1, 2, 3, 9]
    with pytest.raises(ValueError, match="is no frame"):
        list(holistic.skeleton([np.zeros((4, 4), np.uint8)]))
    assert looked_at(list(holistic.skeleton(film([8])))) == [(8, 0)]


def test_frames_are_read_as_they_are_asked_for(holistic: Holistic) -> None:
    given = 0

    def endless() -> Iterator[np.ndarray]:
        nonlocal given
        while True:
            given += 1
            yield film([given % 100])[0]

    points = holistic.skeleton(endless())
    for number in range(300):
        assert looked_at([next(points)]) == [((number + 1) % 100, number)]
        assert given <= number + 2
    points.close()  # type: ignore[attr-defined]
    assert looked_at(list(holistic.skeleton(film([4, 5])))) == [(4, 0), (5, 1)]


def test_a_film_that_breaks_off_leaves_nothing_behind(holistic: Holistic) -> None:
    def torn() -> Iterator[np.ndarray]:
        yield from film([1, 2, 3])
        raise Unreadable("torn")

    with pytest.raises(Unreadable, match="torn"):
        list(holistic.skeleton(torn()))
    assert looked_at(list(holistic.skeleton(film([6, 7])))) == [(6, 0), (7, 1)]


def test_what_is_printed_is_no_answer(holistic: Holistic) -> None:
    assert looked_at(list(holistic.skeleton(film([PRINT, 1])))) == [(PRINT, 0), (1, 1)]


def test_a_frame_that_is_refused_is_a_fault_of_its_clip(holistic: Holistic) -> None:
    with pytest.raises(Unreadable, match=r"refuses frame 2: RuntimeError: too square\."):
        list(holistic.skeleton(film([1, REFUSE, 3]), clip="a"))
    assert looked_at(list(holistic.skeleton(film([6, 7])))) == [(6, 0), (7, 1)]


@pytest.mark.parametrize(
    ("what", "told"),
    [(DIE, f"ended with signal {signal.SIGABRT:d}"), (EXIT, r"ended with exit code 3: the last words")],
)
def test_a_frame_that_is_deadly_is_a_fault_of_its_clip(holistic: Holistic, what: int, told: str) -> None:
    for pixels in ([what], [1, what, 2, 3]):
        with pytest.raises(Unreadable, match=told):
            list(holistic.skeleton(film(pixels, (400, 400)), clip="a"))
        assert looked_at(list(holistic.skeleton(film([6, 7])))) == [(6, 0), (7, 1)]


def test_a_process_that_is_ended_from_outside(holistic: Holistic) -> None:
    points = holistic.skeleton(film([1, 2, 3]), clip="my clip")
    next(points)
    assert holistic._process
    holistic._process.kill()
    with pytest.raises(UserError, match=r"Clip my clip: .* ended from outside \(SIGKILL\).*repeat the command"):
        list(points)
    assert looked_at(list(holistic.skeleton(film([6])))) == [(6, 0)]


def test_a_process_that_does_not_answer() -> None:
    with Holistic(command(), patience=4) as holistic:
        with pytest.raises(UserError, match="Clip a: MediaPipe did not answer for 4 seconds"):
            list(holistic.skeleton(film([1, HANG, 3], (900, 900)), clip="a"))
        assert looked_at(list(holistic.skeleton(film([6])))) == [(6, 0)]


@pytest.mark.parametrize("script", ["raise ImportError('no such thing')", "import os; os.abort()", ""])
def test_a_process_that_does_not_start(script: str) -> None:
    with Holistic([sys.executable, "-c", script]) as holistic:
        with pytest.raises(UserError, match="MediaPipe does not start: the process of MediaPipe ended") as raised:
            list(holistic.skeleton(film([1])))
        assert "ImportError: no such thing" in str(raised.value) or "ImportError" not in script


def test_several_processes_look_at_once() -> None:
    with Holistic(command()) as one, Holistic(command()) as other:
        pairs = zip(one.skeleton(film([1, 2, 3])), other.skeleton(film([4, 5, 6])), strict=True)
        assert [looked_at(pair) for pair in pairs] == [[(n + 1, n), (n + 4, n)] for n in range(3)]


def test_nobody_stays_behind_when_the_parent_is_killed() -> None:
    program = f"""
import os, sys, time, numpy as np
from sonar_slt.features.skeletons import Holistic
holistic = Holistic([{sys.executable!r}, {str(FAKE)!r}, {str(WORKER)!r}, str(os.getpid()), "0.5", "0.5"])
next(holistic.skeleton(np.zeros((3, 8, 8, 3), np.uint8)))
if not (heir := os.fork()):  # it holds the other end of the worker's input, and lives
    time.sleep(60)
print(holistic._process.pid, heir, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert parent.stdout
    worker, heir = map(int, parent.stdout.readline().split())
    try:
        parent.kill()
        parent.wait()
        ends = time.monotonic() + 20
        while _lives(worker) and time.monotonic() < ends:
            time.sleep(0.05)
        assert not _lives(worker) and _lives(heir)
    finally:
        os.kill(heir, signal.SIGKILL)
        parent.stdout.close()


def _lives(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_frames_without_a_person_are_a_fault(holistic: Holistic) -> None:
    points = np.stack(list(holistic.skeleton(film([1, NOBODY, NOBODY, 4]))))
    [fault] = person_faults(points)
    assert (fault.kind, fault.done) == ("no_person", "kept")
    assert fault.told == "nobody was found in 2 of 4 frames: 1-2"
    assert not person_faults(points[[0, 3]]) and not person_faults(points[:0])
