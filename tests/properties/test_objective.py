"""What must hold for every loss term that conf/ knows, and for their sum."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from sonar_slt.config.build import build
from sonar_slt.config.location import conf_folder
from sonar_slt.errors import UserError
from sonar_slt.objective import CosineTerm, Landing, MseTerm, Objective

pytestmark = pytest.mark.properties

OPTIONS = sorted(path.stem for path in (Path(conf_folder()) / "objective").glob("*.yaml"))


@pytest.fixture
def landing() -> Landing:
    torch.manual_seed(0)
    z, s = torch.randn(5, 8, requires_grad=True), torch.randn(5, 8)
    return Landing(z, s, {name: z.square().sum(1) for name in OPTIONS})


@pytest.mark.parametrize("name", OPTIONS)
def test_a_term_bears_its_name_and_has_a_gradient(name: str, landing: Landing) -> None:
    node: dict[str, Any] = yaml.safe_load((Path(conf_folder()) / "objective" / f"{name}.yaml").read_text("utf-8"))
    assert node["_target_"] == f"sonar_slt.objective.{name.title()}Term"
    term = build(node)
    value = term(landing)
    assert value.ndim == 0 and value > 0
    value.backward()
    assert landing.z.grad is not None and landing.z.grad.abs().sum() > 0


def test_the_loss_is_the_weighted_sum(landing: Landing) -> None:
    objective = Objective({"mse": MseTerm(weight=7000.0), "cosine": CosineTerm(weight=2.7)})
    loss, values = objective(landing)
    torch.testing.assert_close(loss, 7000 * values["mse"] + 2.7 * values["cosine"])
    torch.testing.assert_close(values["mse"], ((landing.z - landing.s) ** 2).mean())


def test_weight_zero_is_not_computed(landing: Landing) -> None:
    class Explodes(CosineTerm):
        def forward(self, landing: Landing) -> torch.Tensor:
            raise AssertionError("computed")

    loss, values = Objective({"mse": MseTerm(weight=1.0), "cosine": Explodes(weight=0.0)})(landing)
    assert set(values) == {"mse"} and torch.equal(loss.detach(), values["mse"])


def test_a_summed_mse_is_dim_times_the_mean(landing: Landing) -> None:
    mean, total = MseTerm(weight=1.0)(landing), MseTerm(weight=1.0, reduction="sum")(landing)
    torch.testing.assert_close(total, 8 * mean)


def test_a_weight_grows_from_its_start_over_its_ramp() -> None:
    term = MseTerm(weight=2.0, start=0.4, ramp=0.2)
    weights = [term.weight_at(progress) for progress in (0.0, 0.39, 0.5, 0.6, 1.0)]
    assert weights == pytest.approx([0.0, 0.0, 1.0, 2.0, 2.0])
    assert Objective({"mse": term, "cosine": CosineTerm(weight=1.0)}).active(0.1) == {"cosine": 1.0}


def test_perfect_vectors_cost_nothing() -> None:
    s = torch.randn(4, 8)
    perfect = Landing(s.clone(), s)
    assert MseTerm(weight=1.0)(perfect) == 0 and CosineTerm(weight=1.0)(perfect).abs() < 1e-6


@pytest.mark.parametrize(
    "make",
    [
        lambda: Objective({"mse": MseTerm(weight=0.0)}),
        lambda: MseTerm(weight=-1.0),
        lambda: MseTerm(weight=1.0, reduction="median"),  # type: ignore[arg-type]
    ],
)
def test_impossible_weights_are_refused(make: Any) -> None:
    with pytest.raises(UserError):
        make()
