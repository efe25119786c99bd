"""Jobs count by the runs that did their work; those that left none are shown and say why."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from sonar_slt.errors import UserError
from sonar_slt.runs.provenance.process import this_process
from sonar_slt.runs.sweeps.comparison import compare
from sonar_slt.runs.sweeps.page.contents import sweep_page
from sonar_slt.runs.sweeps.plan import planned
from sonar_slt.runs.sweeps.sweep import Sweep
from tests.runs.sweeps.swept import Folder

FIRST, SECOND = "2026-11-28_10-00-00-000000_terms", "2026-11-28_11-00-00-000000_terms"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Where runs are written."""
    return Folder(tmp_path / "runs", sweep=FIRST)


def started_again(folder: Folder) -> Sweep:
    """Two keys' worth of jobs, of which the third failed; then the same sweep again."""
    for number, (key, seed) in enumerate(itertools.product("ab", (1, 2))):
        run = folder.add(f"k={key}", seed=seed, status="failed" if number == 2 else "finished", bleu=50.0 + number)
        folder.entry(number, f"k={key}", seed=seed, status="failed" if number == 2 else "finished", run=run.name)
    folder.sweep, folder.jobs = SECOND, 2
    done = sorted(folder.root.iterdir())
    for number, (key, seed) in enumerate(itertools.product("ab", (1, 2))):
        run = folder.add(f"k={key}", seed=seed, bleu=60.0) if number == 2 else done[number]
        status = "finished" if number == 2 else "skipped"
        folder.entry(number, f"k={key}", seed=seed, status=status, run=run.name)
    return Sweep.read(folder.root, "last")


def test_a_skipped_job_counts_by_the_run_that_it_names(folder: Folder) -> None:
    sweep = started_again(folder)
    assert [(run.groups["k"], run.seed, run.figures["bleu"].value) for run in sweep.runs] == [
        ("a", 1, 50.0), ("a", 2, 51.0), ("b", 1, 60.0), ("b", 2, 53.0)
    ]  # fmt: skip
    assert [run.skipped for run in sweep.runs] == [True, True, False, True] and len(sweep.counted) == 4
    both = Sweep.read(folder.root, "terms")
    assert len(both.runs) == 5 and len(both.counted) == 4 and len(both.folders) == 2
    first = Sweep.read(folder.root, FIRST)
    assert [run.aside for run in first.runs] == [None, None, "failed", None]


def test_a_sweep_whose_jobs_were_all_skipped_is_a_sweep(folder: Folder) -> None:
    started_again(folder)
    folder.sweep = "2026-11-28_12-00-00-000000_terms"
    for number, run in enumerate(Sweep.read(folder.root, "last").runs):
        folder.entry(number, f"k={run.groups['k']}", seed=run.seed or 0, status="skipped", run=run.record.folder.name)
    again = Sweep.read(folder.root, "last")
    assert again.folder.name == folder.sweep and len(again.counted) == 4 and all(run.skipped for run in again.runs)


def test_jobs_that_name_one_run_by_different_words_are_rows_of_their_own(folder: Folder) -> None:
    run = folder.add("k=a", bleu=50)
    folder.entry(0, "k=a", status="finished", run=run.name)
    folder.entry(1, "k=b", status="skipped", run=run.name)
    folder.entry(2, "k=b", status="skipped", run=run.name)
    found = Sweep.read(folder.root, "last").counted
    assert [(one.groups["k"], one.record.folder) for one in found] == [("a", run), ("b", run)]


def test_a_job_that_failed_before_its_run_says_why(folder: Folder) -> None:
    for number, key in enumerate("abc"):
        folder.add(f"k={key}", bleu=50)
        folder.entry(number, f"k={key}", status="finished", run=sorted(folder.root.iterdir())[-1].name)
    folder.entry(3, "k=d", seed=7, reason="no corpus\nhere")
    folder.entry(4, "k=e").write_text("{")
    folder.entry(5, "k=f", status="skipped", run="2020-01-01_gone")
    sweep = Sweep.read(folder.root, "last")
    aside = {run.record.facts["job"]: run.aside for run in sweep.runs if run.aside}
    assert aside[3] == "failed: before its run began: no corpus here"
    assert "4.json cannot be read" in (aside[4] or "") and "2020-01-01_gone is not there any more" in (aside[5] or "")
    assert sweep.runs[3].groups["k"] == "d" and sweep.runs[3].seed == 7 and not sweep.missing
    assert sweep.effects("bleu").n == 3 and "no corpus here" in sweep_page(sweep, folder.root)


def test_the_jobs_of_a_dead_launcher_are_recognised(folder: Folder) -> None:
    ran = folder.add("k=a", bleu=50)
    cut = folder.add("k=b", status="running", process={"pid": 2**22 + 1, "host": this_process()["host"]})
    folder.entry(0, "k=a", status="running", run=ran.name)  # killed between the run's end and its own
    folder.entry(1, "k=b", status="running")  # killed before it could name its run
    folder.entry(2, "k=c", status="running")
    folder.entry(3, "k=d", status="running", process=this_process())
    sweep = Sweep.read(folder.root, "last")
    assert [run.record.folder for run in sweep.runs[:2]] == [ran, cut]
    assert [run.record.status for run in sweep.runs] == ["finished", "killed", "killed", "running"]
    assert sweep.runs[2].aside == f"killed: before its run began: process {2**22 + 1} is gone"
    assert sweep.runs[3].aside == "running: before its run began"


def test_jobs_that_did_not_begin_are_told_by_the_plan(folder: Folder) -> None:
    folder.add("k=a", "list=[x,y]", bleu=50)
    folder.entry(0, "k=a", "list=[x,y]", status="finished", run=next(folder.root.iterdir()).name)
    place = folder.root.parent / "sweeps" / FIRST
    sweeper = {"_target_": "hydra._internal.core_plugins.basic_sweeper.BasicSweeper", "params": {"k": "a,b"}}
    words = ["seed=4", "list=[x,y],[z]"]
    (place / "multirun.yaml").write_text(json.dumps({"hydra": {"sweeper": sweeper, "overrides": {"task": words}}}))
    assert planned(place) == [(f"k={k}", "seed=4", f"list={one}") for k in "ab" for one in ("[x,y]", "[z]")]
    missing = Sweep.read(folder.root, "last", least=1).missing
    assert {job.seed for job in missing} == {4}
    assert [(job.name, dict(job.settings or {})) for job in missing] == [
        (f"job 1 of {FIRST}", {"k": "a", "list": ["z"]}),
        (f"job 2 of {FIRST}", {"k": "b", "list": ["x", "y"]}),
        (f"job 3 of {FIRST}", {"k": "b", "list": ["z"]}),
    ]


def test_jobs_that_did_not_begin_have_a_seed_each(folder: Folder) -> None:
    run = folder.add(status="killed", reason="SIGTERM")
    place = folder.entry(0, status="killed", run=run.name).parent.parent
    sweeper = {"_target_": "hydra._internal.core_plugins.basic_sweeper.BasicSweeper", "params": {}}
    plan = {"hydra": {"sweeper": sweeper, "overrides": {"task": ["seed=1,2,3"]}}}
    (place / "multirun.yaml").write_text(json.dumps(plan))
    (row,) = compare(Sweep.read(folder.root, "last", least=1)).rows
    assert list(row.lacking) == [("1",), ("2",), ("3",)] and row.lacking["3",].startswith("did not begin: job 2 of")


def test_a_sweep_of_evaluations_has_a_row_for_each(folder: Folder) -> None:
    trained = [folder.add("objective=[mse]", seed=seed, bleu=1.0) for seed in (1, 2)]
    folder.sweep = SECOND
    plan = itertools.product(enumerate(trained, 1), (1, 5))
    for number, ((seed, one), beams) in enumerate(plan):
        words = (f"num_beams={beams}", f"inputs=[{one.name}]")
        facts = {"sweep": f"outputs/sweeps/{SECOND}", "job": number, "id": f"{number:08x}"}
        run = folder.add(*words, seed=12345, bleu=50.0 + beams + seed, verb="evaluate", parent=one.name, **facts)
        folder.entry(number, *words, seed=12345, status="finished", run=run.name)
    sweep = Sweep.read(folder.root, "last")
    assert sweep.levels == {"num_beams": ("1", "5")} and [run.seed for run in sweep.runs] == [1, 1, 2, 2]
    assert [run.figures["bleu"].value for run in sweep.runs] == [52.0, 56.0, 53.0, 57.0]
    assert {run.figures["bleu"].value for run in Sweep.read(folder.root, FIRST).runs} == {56.0, 57.0}


def test_a_rerun_begins_anew(folder: Folder) -> None:
    first = folder.add("k=a", bleu=50)
    again = folder.add("k=b", bleu=60, parent=first.name, rerun_of=first.name)
    sweep = Sweep.read(folder.root, "last")
    assert {run.record.folder: run.groups["k"] for run in sweep.counted} == {first: "a", again: "b"}


def test_a_run_is_no_sweep(folder: Folder) -> None:
    run = folder.add("k=a", bleu=50)
    with pytest.raises(UserError, match="is a run and no sweep: name several runs"):
        Sweep.read(folder.root, run.name)
