"""What must hold for every loss term that conf/ knows, and for their sum."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor, multiprocessing
from torch.nn import functional

from sonar_slt.config.build import build
from sonar_slt.config.location import conf_folder
from sonar_slt.errors import UserError
from sonar_slt.objective import CeTerm, CosineTerm, Landing, MseTerm, NceTerm, Objective, SemanticGroup
from sonar_slt.objective.nce import gathered

pytestmark = pytest.mark.properties

OPTIONS = sorted(path.stem for path in (Path(conf_folder()) / "objective").glob("*.yaml") if path.stem != "semantic")


@pytest.fixture
def landing() -> Landing:
    torch.manual_seed(0)
    z, s = torch.randn(5, 8, requires_grad=True), torch.randn(5, 8)
    return Landing(z, s, {name: z.square().sum(1) for name in OPTIONS})


@pytest.mark.parametrize("name", OPTIONS)
def test_a_term_bears_its_name_and_has_a_value_and_a_gradient_for_each_clip(name: str, landing: Landing) -> None:
    node: dict[str, Any] = yaml.safe_load((Path(conf_folder()) / "objective" / f"{name}.yaml").read_text("utf-8"))
    assert node["_target_"] == f"sonar_slt.objective.{name.title()}Term"
    values = build(node)(landing)
    assert values.shape == (5,) and (values > 0).all()
    values.sum().backward()
    assert landing.z.grad is not None and (landing.z.grad.abs().sum(dim=1) > 0).all()


def test_the_loss_is_the_weighted_sum(landing: Landing) -> None:
    objective = Objective({"mse": MseTerm(weight=7000.0), "cosine": CosineTerm(weight=2.7)})
    outcome = objective(landing)
    torch.testing.assert_close(outcome.loss, 7000 * outcome.values["mse"] + 2.7 * outcome.values["cosine"])
    torch.testing.assert_close(outcome.values["mse"], ((landing.z - landing.s) ** 2).mean())


def test_weight_zero_is_not_computed(landing: Landing) -> None:
    class Explodes(CosineTerm):
        def forward(self, landing: Landing) -> Tensor:
            raise AssertionError("computed")

    outcome = Objective({"mse": MseTerm(weight=1.0), "cosine": Explodes(weight=0.0)})(landing)
    assert set(outcome.values) == {"mse"} and torch.equal(outcome.loss.detach(), outcome.values["mse"])
    silent = Objective({"ce": CeTerm(weight=1.0), "cosine": Explodes(weight=1.0), "semantic": SemanticGroup(weight=0)})
    assert set(silent(landing).values) == {"ce"}


def test_semantic_weighs_mse_and_cosine_together(landing: Landing) -> None:
    terms = {"mse": MseTerm(weight=7.0), "cosine": CosineTerm(weight=2.0), "ce": CeTerm(weight=1.0)}
    assert Objective({**terms, "semantic": SemanticGroup(weight=0.5)}).active() == {
        "mse": 3.5,
        "cosine": 1.0,
        "ce": 1.0,
    }
    assert Objective(terms).active() == {"mse": 7.0, "cosine": 2.0, "ce": 1.0}


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
    assert (MseTerm(weight=1.0)(perfect) == 0).all() and (CosineTerm(weight=1.0)(perfect).abs() < 1e-6).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Objective({"mse": MseTerm(weight=0.0)}),
        lambda: Objective({"mse": MseTerm(weight=1.0), "semantic": SemanticGroup(weight=0.0)}),
        lambda: MseTerm(weight=-1.0),
        lambda: MseTerm(weight=float("nan")),
        lambda: MseTerm(weight=1.0, ramp=2.0),
        lambda: MseTerm(weight=1.0, reduction="median"),  # type: ignore[arg-type]
        lambda: NceTerm(weight=1.0, temperature=0.0),
        lambda: NceTerm(weight=1.0, queue=5000),
    ],
)
def test_impossible_weights_are_refused(make: Any) -> None:
    with pytest.raises(UserError):
        make()


class TestWhatIsNotFinite:
    def test_a_row_is_left_out_of_the_mean_and_of_the_gradient_and_told(self, landing: Landing) -> None:
        objective = Objective({"mse": MseTerm(weight=2.0), "ce": CeTerm(weight=1.0)})
        hole = torch.tensor([0.0, float("inf"), 0.0, float("nan"), 0.0])
        damaged = Landing(landing.z, landing.s, {"ce": landing.nll["ce"] + hole})
        outcome = objective(damaged)
        assert outcome.broken == {"ce": (1, 3)}
        torch.testing.assert_close(outcome.values["ce"], landing.nll["ce"][[0, 2, 4]].mean().detach())
        torch.testing.assert_close(outcome.values["mse"], MseTerm(weight=1)(landing).mean().detach())
        outcome.loss.backward()
        assert landing.z.grad is not None and landing.z.grad.isfinite().all()

    def test_a_term_of_which_nothing_is_finite_counts_for_nothing(self, landing: Landing) -> None:
        lost = Landing(landing.z, landing.s, {"ce": landing.nll["ce"] * float("nan")})
        outcome = Objective({"mse": MseTerm(weight=2.0), "ce": CeTerm(weight=1.0)})(lost)
        assert set(outcome.values) == {"mse"} and outcome.broken == {"ce": (0, 1, 2, 3, 4)}
        assert Objective({"ce": CeTerm(weight=1.0)})(lost).loss is None


class TestNce:
    def test_in_the_batch_it_is_the_papers_equation(self, landing: Landing) -> None:
        z, s = (functional.normalize(v, dim=1) for v in (landing.z.detach(), landing.s))
        found, answers = z @ s.T / 0.07, torch.arange(5)
        wanted = (functional.cross_entropy(found, answers) + functional.cross_entropy(found.T, answers)) / 2
        torch.testing.assert_close(NceTerm(weight=1.0)(landing).mean().detach(), wanted)

    def test_an_equal_sentence_is_no_wrong_answer(self) -> None:
        torch.manual_seed(0)
        s = torch.randn(4, 8)
        twice = Landing(torch.cat([s, s[:1]]), torch.cat([s, 3 * s[:1]]))  # as long or longer: the same direction
        once = NceTerm(weight=1.0)(Landing(s, s))
        torch.testing.assert_close(NceTerm(weight=1.0)(twice)[[0, 4]], once[[0, 0]])

    def test_the_queue_holds_the_newest_and_stands_beside_the_batch_in_training_alone(self, landing: Landing) -> None:
        term = NceTerm(weight=1.0, queue=7, symmetric=False)
        term.fit(dim=8)
        empty = term(landing)
        everything = torch.randn(12, 8)
        for start in range(0, 12, 4):
            term.remember(Landing(everything[start : start + 4], everything[start : start + 4]))
        assert int(term.filled) == 12
        held = {tuple(row.tolist()) for row in term.queue}
        assert held == {tuple(row.tolist()) for row in functional.normalize(everything[-7:], dim=1)}
        assert (term(landing) > empty).all()
        assert torch.equal(term.eval()(landing), empty)

    def test_a_sentence_that_waits_in_the_queue_is_no_wrong_answer(self, landing: Landing) -> None:
        term = NceTerm(weight=1.0, queue=16, symmetric=False)
        term.fit(dim=8)
        empty = term(landing)
        term.remember(landing)
        unlike = term(landing)[0] - empty[0]
        alone = NceTerm(weight=1.0, queue=16, symmetric=False)
        alone.fit(dim=8)
        alone.remember(Landing(landing.z[:1], landing.s[:1]))
        torch.testing.assert_close(alone(landing)[0], empty[0])
        assert unlike > 0

    def test_the_queue_is_saved_and_comes_back(self) -> None:
        terms = [Objective({"nce": NceTerm(weight=1.0, queue=6)}) for _ in range(2)]
        for objective in terms:
            objective.fit(dim=8)
        v = torch.randn(4, 8)
        terms[0].remember(Landing(v, v))
        terms[1].load_state_dict(terms[0].state_dict())
        again = Landing(torch.randn(3, 8), torch.randn(3, 8))
        assert torch.equal(terms[0](again).loss, terms[1](again).loss)


def _gather(rank: int, port: str, into: str) -> None:
    torch.distributed.init_process_group("gloo", init_method=f"file://{port}", rank=rank, world_size=2)
    rows = torch.arange(6.0).view(3, 2)[: 3 - rank] + 10 * rank
    torch.save(gathered(rows), f"{into}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_the_queue_is_gathered_over_processes_of_unequal_batches(tmp_path: Path) -> None:
    multiprocessing.spawn(_gather, args=(str(tmp_path / "meeting"), str(tmp_path)), nprocs=2)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    assert torch.equal(first, second)
    assert first.tolist() == [[0, 1], [2, 3], [4, 5], [10, 11], [12, 13]]
