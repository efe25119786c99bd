"""A sweep of known effects comes out as what was put in; what does not count is shown, and doubts are said."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sonar_slt.errors import UserError
from sonar_slt.runs.registry import read
from sonar_slt.runs.scores.curves import curves_of
from sonar_slt.runs.scores.figures import figures_of
from sonar_slt.runs.scores.titles import figure_title, higher_is_better
from sonar_slt.runs.sweeps.effects import Effect, Effects, Point, effects
from sonar_slt.runs.sweeps.formats.effects import effects_table
from sonar_slt.runs.sweeps.settings import grouped, typed, written
from sonar_slt.runs.sweeps.sweep import Sweep
from tests.runs.sweeps.swept import OBJECTIVES, SEEDS, WEIGHTS, Folder, scored


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Where runs are written."""
    return Folder(tmp_path / "runs")


@pytest.fixture
def crossed(folder: Folder) -> Folder:
    """Every objective with every weight and seed; effects add up."""
    for (terms, one), (weight, two), (seed, three) in itertools.product(
        OBJECTIVES.items(), WEIGHTS.items(), SEEDS.items()
    ):
        folder.add(
            f"objective={terms}",
            f"objective.mse.weight={weight}",
            "experiment=x",
            seed=seed,
            bleu=50 + one + two + three,
        )
    return folder


def by_key(found: Effects) -> Mapping[str, Effect]:
    return {effect.key: effect for effect in found.effects}


def test_added_effects_come_out_exactly(crossed: Folder) -> None:
    sweep = Sweep.read(crossed.root, "last")
    assert sweep.name == "terms" and len(sweep.runs) == 18 and sweep.folder.name == crossed.sweep
    assert sweep.levels == {"objective": tuple(OBJECTIVES), "objective.mse.weight": ("0.01", "1")}
    found = sweep.effects(sweep.target(None))
    keys = by_key(found)
    assert [level.mean for level in keys["objective"].levels] == pytest.approx([51.5, 55.5, 56.5])
    assert {level.n for level in keys["objective"].levels} == {6}
    assert [level.spread for level in keys["objective"].levels] == pytest.approx([1.0, 1.0, 1.0])
    apart = {(one.value, one.against): one for one in keys["objective"].differences}
    assert apart["[mse,ce,ae]", "[mse]"].mean == pytest.approx(5) and apart[
        "[mse,ce,ae]", "[mse,ce]"
    ].mean == pytest.approx(1)
    assert {one.pairs for one in apart.values()} == {6}
    assert apart["[mse,ce]", "[mse]"].low == pytest.approx(4) and apart["[mse,ce]", "[mse]"].high == pytest.approx(4)
    total = 14 / 3 * 18 + 1.5**2 * 18 + 2 / 3 * 18  # squares of the three added effects
    assert keys["objective"].share == pytest.approx(14 / 3 * 18 / total)
    assert keys["objective.mse.weight"].share == pytest.approx(1.5**2 * 18 / total)
    assert found.seeds == pytest.approx(2 / 3 * 18 / total) and found.together == pytest.approx(0, abs=1e-9)
    assert found.shared is None and not found.caveats and found.mean == pytest.approx(54.5)


def test_every_figure_can_be_the_target(crossed: Folder) -> None:
    sweep = Sweep.read(crossed.root, crossed.sweep or "")
    assert sweep.target("bleu/unseen") == "bleu/unseen" and {
        "bleu",
        "bleu/deu_Latn",
        "retrieval_at_1",
        "ae",
        "minutes",
    } <= set(sweep.targets)
    assert sweep.effects("bleu/unseen").mean == pytest.approx(44.5)
    assert sweep.effects("retrieval_at_1").mean == pytest.approx(74.5)
    first = sweep.runs[0].figures["bleu"]
    assert (first.value, first.low, first.high) == (49.0, 48.0, 50.0)
    with pytest.raises(UserError, match=r"target=bleuu: .*Did you mean bleu\?.*retrieval_at_1"):
        sweep.target("bleuu")


def test_a_key_alone_against_chance() -> None:
    values = {("a", 1): 1.0, ("a", 2): 3.0, ("b", 1): 2.0, ("b", 2): 6.0}
    points = [Point(settings={"k": key}, seed=seed, value=value) for (key, seed), value in values.items()]
    found = effects(points, {"k": ("a", "b")})
    (difference,) = found.effects[0].differences
    assert (difference.mean, difference.pairs) == (2.0, 2)
    assert difference.low == pytest.approx(2 - 12.706 * 2**0.5 / 2**0.5) and found.effects[0].share == pytest.approx(
        4 / 14
    )
    assert found.seeds == pytest.approx(10 / 14) and found.effects[0].levels[1].spread == pytest.approx(8**0.5)


def test_what_keys_do_only_together_is_no_key_s() -> None:
    points = [Point(settings={"a": a, "b": b}, seed=s, value=float(a == b)) for a in "xy" for b in "xy" for s in (1, 2)]
    found = effects(points, {"a": ("x", "y"), "b": ("x", "y")})
    assert [effect.share for effect in found.effects] == pytest.approx([0, 0], abs=1e-9)
    assert found.together == pytest.approx(1) and found.seeds == pytest.approx(0)


def test_unbalanced_designs_are_paired_and_say_so() -> None:
    there = [("a", "x"), ("a", "y"), ("b", "x")]  # b with y was never run, and y adds 10
    points = [
        Point(settings={"k": k, "o": o}, seed=s, value=(k == "b") * 2 + (o == "y") * 10 + s)
        for k, o in there
        for s in (0, 1)
    ]
    found = effects(points, {"k": ("a", "b"), "o": ("x", "y")})
    key = by_key(found)["k"]
    assert key.levels[1].mean < key.levels[0].mean  # which the mere means get wrong
    assert key.differences[0].mean == pytest.approx(2) and key.differences[0].pairs == 2
    assert any("3 of 4 combinations" in text for text in found.caveats) and found.shared is not None
    rests = [found.together, found.seeds, found.shared, *(effect.share for effect in found.effects)]
    assert sum(rest or 0.0 for rest in rests) == pytest.approx(1)


def test_single_runs_and_keys_that_go_together_weigh_nothing() -> None:
    found = effects(
        [Point(settings={"k": k, "o": k}, seed=1, value=i) for i, k in enumerate("ab")],
        {"k": ("a", "b"), "o": ("a", "b")},
    )
    assert all(effect.share is None for effect in found.effects)
    assert any("always change together" in text for text in found.caveats) and any(
        "run once" in text for text in found.caveats
    )
    same = effects([Point(settings={"k": k}, seed=s, value=7.0) for k in "ab" for s in (1, 2)], {"k": ("a", "b")})
    assert same.effects[0].share is None and same.effects[0].differences[0].mean == 0


def test_failed_killed_and_repeated_runs_are_shown_and_do_not_count(folder: Folder) -> None:
    for terms, seed in itertools.product(("[mse]", "[ce]"), (1, 2)):
        folder.add(f"objective={terms}", seed=seed, bleu=50 + 5 * (terms == "[ce]") + seed)
    folder.add("objective=[ae]", seed=1, status="failed", reason="CUDA is gone")
    folder.add("objective=[ae]", seed=2, status="killed", reason="process 7 is gone")
    folder.jobs = 0  # the same command given again in another sweep
    folder.sweep = "2026-11-28_11-00-00-000000_terms"
    folder.add("objective=[mse]", seed=1, bleu=61)
    sweep = Sweep.read(folder.root, "terms")
    assert len(sweep.runs) == 7 and len(sweep.folders) == 2 and len(sweep.counted) == 4
    aside = {run.record.status: run.aside for run in sweep.runs if run.aside}
    assert aside["failed"] == "failed: CUDA is gone" and aside["killed"] == "killed: process 7 is gone"
    assert aside["finished"] == f"done again in {sweep.runs[-1].record.folder.name}"
    assert [level.mean for level in by_key(sweep.effects("bleu"))["objective"].levels] == [56.5, 56.5]
    console = Console(width=80, record=True)
    console.print(effects_table(sweep, "bleu"))
    text = console.export_text()
    assert "CUDA is gone" in text and "[ce]" in text and max(map(len, text.splitlines())) <= 80


def test_evaluations_and_resumed_trainings_count_for_their_job(folder: Folder) -> None:
    stopped = folder.add("augment=[]", bleu=None, status="killed", reason="interrupted (Ctrl-C)")
    whole = folder.add("augment=paper", bleu=40)
    folder.log(stopped, "dev", bleu=[1.0, 2.0, 9.0])
    sweep, folder.sweep = folder.sweep, None
    resumed = folder.add(f"resume={stopped.name}", bleu=60, parent=stopped.name)
    folder.log(resumed, "dev", bleu=[3.0])
    (resumed / "dev_log.jsonl").write_text('{"step": 300, "bleu": 3.0}\n{"step": 400, "bleu": 4.0}\n')
    folder.add(bleu=10, verb="evaluate", parent=whole.name)
    judged = folder.add(bleu=45, verb="evaluate", parent=whole.name)
    folder.add(bleu=99, verb="evaluate", parent=whole.name, status="failed")
    found = Sweep.read(folder.root, sweep or "")
    assert {run.groups["augment"]: run.figures["bleu"].value for run in found.counted} == {"[]": 60.0, "paper": 45.0}
    assert [run.aside for run in found.runs if run.record.folder == stopped] == [f"gone on with in {resumed.name}"]
    assert next(run for run in found.counted if run.record.folder == whole).judged.folder == judged
    curve = next(run for run in found.counted if run.record.folder == resumed).curves["dev/bleu"]
    assert curve == [(100.0, 1.0), (200.0, 2.0), (300.0, 3.0), (400.0, 4.0)]


def test_runs_named_one_by_one_stand_beside_each_other(folder: Folder) -> None:
    folder.sweep = None
    one = folder.add("trainer.max_steps=800", bleu=50)
    two = folder.add("objective=[mse,ce]", bleu=60)
    three = folder.add("objective=[mse]", "trainer.max_steps=400", "name=other", bleu=70)
    found = Sweep.read(folder.root, [one.name, two.name, three.name])
    assert found.levels == {"trainer.max_steps": ("400", "800"), "objective": ("[mse,ce]", "[mse]")}
    assert found.folder.parent == folder.root.parent / "sweeps"
    assert found.folder == Sweep.read(folder.root, [three.name, two.name, one.name]).folder


def test_only_seeds_are_replicates_of_one_training(folder: Folder) -> None:
    for seed in SEEDS:
        folder.add(seed=seed, bleu=50.0 + seed)
    found = Sweep.read(folder.root, "last")
    assert found.levels == {"seed": ("1", "2", "3")}
    result = found.effects("bleu")
    assert result.sd == pytest.approx(1) and result.effects[0].share is None and "replicates" in result.caveats[0]


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        (lambda: {"metrics": scored(50, ("deu_Latn",))}, "different languages"),
        (lambda: {"metrics": scored(50, ids_hash="g")}, "different clips"),
        (lambda: {"manifest_hash": "other"}, "different corpora"),
        (lambda: {"code": "other"}, "code was changed"),
    ],
)
def test_what_makes_runs_incomparable_is_said(folder: Folder, change: Callable[[], dict[str, Any]], doubt: str) -> None:
    for k, seed in itertools.product("ab", (1, 2)):
        folder.add(f"k={k}", seed=seed, bleu=50, **(change() if (k, seed) == ("b", 2) else {}))
    assert any(doubt in text for text in Sweep.read(folder.root, "last").effects("bleu").caveats)


def test_what_was_swept_is_no_doubt(folder: Folder) -> None:
    for k, seed in itertools.product("ab", (1, 2)):
        folder.add(f"space={k}", seed=seed, bleu=50, space_fingerprint=k)
    assert not Sweep.read(folder.root, "last").effects("bleu").caveats


def test_jobs_that_left_no_run_are_named(folder: Folder, tmp_path: Path) -> None:
    for k in "ab":
        folder.add(f"k={k}", bleu=50)
    params = {"k": "a,b", "seed": "1,2"}
    sweeper = {"_target_": "hydra._internal.core_plugins.basic_sweeper.BasicSweeper", "params": params}
    plan = {"hydra": {"sweeper": sweeper, "overrides": {"task": ["seed=1", "objective=[mse,ce],[mse]"]}}}
    place = tmp_path / "sweeps" / (folder.sweep or "")
    place.mkdir(parents=True)
    (place / "multirun.yaml").write_text(json.dumps(plan))
    missing = Sweep.read(folder.root, "last").missing
    assert [job.name for job in missing] == [f"job 2 of {place.name}", f"job 3 of {place.name}"]


def test_errors_name_what_there_is(folder: Folder) -> None:
    with pytest.raises(UserError, match="no sweep in"):
        Sweep.read(folder.root, "last")
    folder.add("k=a", bleu=50)
    with pytest.raises(UserError, match="is the only training"):
        Sweep.read(folder.root, "last")
    with pytest.raises(UserError, match=r"No sweep 'term' .*Did you mean terms"):
        Sweep.read(folder.root, "term")
    folder.add("k=b", status="failed", reason="no")
    with pytest.raises(UserError, match="No two runs of terms have a figure"):
        Sweep.read(folder.root, "terms").target(None)


def test_words_become_values_and_groups() -> None:
    said = ["1", "1e-3", "0.5", "true", "null", "[a,b]", "paper", "a=b"]
    assert [typed(word) for word in said] == [1, 0.001, 0.5, True, None, ["a", "b"], "paper", "a=b"]
    assert [written(typed(word)) for word in said] == ["1", "0.001", "0.5", "true", "null", "[a,b]", "paper", "a=b"]
    assert grouped([300, None, 100])[1] == ("100", "300", "null") and grouped(["paper", []])[1] == ("[]", "paper")
    groups, order = grouped([0.1 * i for i in range(12)])
    assert len(order) == 4 and all(groups.count(part) == 3 for part in order)


def test_figures_know_their_direction_and_name(folder: Folder) -> None:
    run = folder.add(bleu=50)
    folder.log(run, "dev", loss=[3.0, 1.0, 2.0], bleu=[1.0, 5.0, 4.0])
    record = read(run)
    found = figures_of(record, curves_of([record]), 2.0)
    assert (found["dev/loss"].value, found["dev/bleu"].value, found["minutes"].value) == (1.0, 5.0, 2.0)
    assert all(map(higher_is_better, ("bleu", "dev/bleu", "cosine", "retrieval_at_1", "train/clips_per_second")))
    assert not any(
        map(higher_is_better, ("wer", "ter/deu_Latn", "dev/loss", "dev/cosine", "minutes", "space.xsim.mean"))
    )
    assert figure_title("chrf/unseen") == "chrF2, unseen languages" and figure_title("bleu/deu_Latn") == "BLEU, German"
