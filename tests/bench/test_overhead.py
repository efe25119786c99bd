"""What the framework costs is measured on two trainings that are the same, and its cost is seen where it is large."""

from __future__ import annotations

import time
from typing import Any

import pytest
import torch

from sonar_slt.bench.training.overhead import added, agreement
from sonar_slt.cli.bench import SUBJECTS
from sonar_slt.config.assembly import assemble
from sonar_slt.errors import UserError
from sonar_slt.task.callbacks.step_progress import StepProgress
from sonar_slt.task.fitting import quiet

TINY = {"steps": 2, "rounds": 3}


def measured(config: dict[str, Any]) -> list[Any]:
    with quiet():
        return list(SUBJECTS["overhead"]({**config, **TINY}))


def test_both_loops_learn_the_same(sign_config: dict[str, Any]) -> None:
    """Bit for bit: the same batches, optimiser, schedule and clipping, whatever is logged beside it."""
    processor, clock = measured(sign_config)
    assert "processor time" in processor.name and "by the clock" in clock.name
    for result in (processor, clock):
        assert result.plain > 0 and result.ours > 0 and result.ratio > 0
        assert "3 rounds) added" in result.note
        assert torch.cuda.is_available() or result.note.endswith("the same weights after it")


def test_a_slow_framework_is_seen(sign_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    plain = StepProgress.on_train_batch_end

    def slow(*given: Any) -> None:
        time.sleep(0.2)
        plain(*given)

    monkeypatch.setattr(StepProgress, "on_train_batch_end", slow)
    _, clock = measured(sign_config)
    assert clock.ours > 0.2 and clock.ours > clock.plain


def test_weights_that_differ_are_told(sign_config: dict[str, Any]) -> None:
    task, twin = assemble(sign_config).task, assemble(sign_config).task
    assert agreement(task, twin) == "the same weights after it"
    with torch.no_grad():
        next(twin.parameters()).add_(0.5)
    assert agreement(task, twin) == "weights apart by 5.0e-01 at most"


def test_what_is_added_is_told_with_its_spread() -> None:
    told = added([1.0, 1.0, 2.0, 1.0, 1.0], [1.02, 1.01, 2.06, 1.04, 1.0])
    assert told == "+2.0% (+1.0% to +3.0% in the middle half of 5 rounds)"
    assert added([1.0], [1.1]) == "+10.0%"


def test_augmentation_is_refused(sign_config: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="augment=null"):
        measured({**sign_config, "augment": {"noise": {}}})
