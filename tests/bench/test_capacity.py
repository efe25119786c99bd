"""Which batch size fits: what the search finds, with whole steps of a real task, and that it leaves no trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sonar_slt.bench.training.capacity import Capacity, Fit, capacity, searched, shared
from sonar_slt.cli import check
from sonar_slt.cli.command.asked import Asked
from sonar_slt.config.assembly import assemble
from sonar_slt.errors import UserError
from tests.conftest import MICRO, composed

AUGMENTED = {"augment": "[paper,mirror]", "recipe": "null"}


@pytest.fixture(scope="module")
def made(outputs: Any, space_folder: Any) -> Any:
    config = composed("train", outputs, {**MICRO, **AUGMENTED, "space.source": str(space_folder)})
    return assemble(config).task


@pytest.fixture
def task(made: Any) -> Iterator[Any]:
    """A task whose adapter may be listened to and disturbed."""
    yield made
    made.adapter._forward_pre_hooks.clear()


# --- the search -----------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(st.integers(0, 500), st.integers(1, 50), st.integers(0, 9000), st.integers(1, 600), st.booleans())
def test_what_is_found_fits_and_little_more_would(fixed: int, each: int, room: int, most: int, told: bool) -> None:
    tried = []

    def attempt(size: int) -> Fit | None:
        tried.append(size)
        return Fit(size, fixed + each * size, 0.1) if fixed + each * size <= room else None

    fits = searched(attempt, most=most, free=room if told else None, fixed=fixed)
    possible = min(most, (room - fixed) // each)
    if possible < 1:
        assert fits == [] and tried == [1]
        return
    found = fits[-1].clips
    assert found <= possible < found + max(1, found // 16) + 1
    assert [fit.clips for fit in fits] == sorted({fit.clips for fit in fits})
    assert len(tried) <= 20 and max(tried) <= 2 * found
    if told:  # as far as it is known how they grow, none is tried in vain
        assert max(tried) <= possible


def test_it_ends_where_steps_take_too_long() -> None:
    fits = searched(lambda size: Fit(size, size, size * 3.0), most=512, free=None)
    assert [fit.clips for fit in fits] == [1, 2, 4, 8]


@pytest.mark.parametrize(
    ("clips", "peak", "free", "most", "advised"),
    [
        (100, 50, 100, 512, 90),
        (512, 50, 100, 512, 512),
        (512, 95, 100, 512, 460),
        (1, 90, 100, 512, 1),
        (24, 0, None, 24, 24),
    ],
)
def test_what_is_advised_leaves_a_margin(clips: int, peak: int, free: int | None, most: int, advised: int) -> None:
    assert Capacity([Fit(clips, peak, 1.0)], frames=9, most=most, free=free).advised == advised


@settings(max_examples=50)
@given(st.integers(1, 300), st.integers(1, 300))
def test_a_step_is_shared_among_batches_that_fit(wanted: int, room: int) -> None:
    size, together = shared(wanted, room)
    assert 1 <= size <= room and wanted <= size * together < wanted + together
    assert together <= 2 * -(-wanted // room)


def test_a_step_is_shared_evenly_where_it_goes() -> None:
    assert shared(32, 12) == (8, 4) and shared(32, 32) == (32, 1) and shared(31, 12) == (11, 3)


# --- a real task ----------------------------------------------------------------------------------------------------


def test_whole_steps_of_the_longest_clips_leave_a_task_as_it_was(task: Any) -> None:
    before = {name: value.clone() for name, value in task.state_dict().items()}
    task.eval()
    state, shapes = torch.get_rng_state(), []
    task.adapter.register_forward_pre_hook(lambda _, given: shapes.append(given[0]["points"].mask))
    found = capacity(task)
    assert [fit.clips for fit in found.fits] == [1, 2, 4, 8, 16, 24]  # as many as there are
    assert [len(mask) for mask in shapes] == [1, 1] + [size for fit in found.fits for size in (fit.clips, fit.clips)]
    assert {mask.shape[1] for mask in shapes} == {found.frames}
    assert found.frames == task.data.drawing.lengths[task.data.rows["train"].numbers].max()
    assert all(fit.seconds > 0 for fit in found.fits) and found.fits[-1].peak >= 0
    assert all(torch.equal(value, before[name]) for name, value in task.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state) and not task.training
    assert all(weight.grad is None for weight in task.parameters())


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("can't allocate memory: you tried")]
)
def test_memory_that_runs_out_is_where_it_ends(task: Any, error: Exception) -> None:
    limit = 5

    def gone(_: Any, given: Any) -> None:
        if len(given[0]["points"].mask) > limit:
            raise error

    task.adapter.register_forward_pre_hook(gone)
    found = capacity(task)
    assert [fit.clips for fit in found.fits] == [1, 2, 4, 5] and found.advised == 4
    limit = 0
    with pytest.raises(UserError, match=r"Not even one clip fits: the longest has \d+ frames"):
        capacity(task)


def test_another_error_is_not_mistaken_for_it(task: Any) -> None:
    def wrong(_: Any, __: Any) -> None:
        raise RuntimeError("shapes do not fit")

    task.adapter.register_forward_pre_hook(wrong)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        capacity(task)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_it_grows_with_the_clips(outputs: Any, space_folder: Any) -> None:
    overrides = {**MICRO, **AUGMENTED, "space.source": str(space_folder), "trainer.accelerator": "auto"}
    task = assemble(composed("train", outputs, overrides), device="cuda").task
    found = capacity(task, precision=lambda: torch.autocast("cuda", torch.bfloat16))
    peaks = [fit.peak for fit in found.fits]
    assert peaks == sorted(peaks) and peaks[-1] > 2 * peaks[0] > 0


# --- the command ----------------------------------------------------------------------------------------------------


def test_check_says_what_to_set(outputs: Any, space_folder: Any, capsys: pytest.CaptureFixture[str]) -> None:
    words = {
        **MICRO,
        **AUGMENTED,
        "space.source": str(space_folder),
        "fits": "true",
        "round_trip": 0,
        "batches.size": 96,
    }
    check.run(composed("check", outputs, words), Asked())
    said = capsys.readouterr().out
    assert "clips  peak GiB  clips per second" in said
    assert "batches.size=24 leaves a margin" in said
    assert "For 96 clips per step, as configured: batches.size=24 trainer.accumulate_grad_batches=4" in said
