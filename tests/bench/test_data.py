"""The measurements of data measure: what is compared is the same, and a kill, a resume and a worker are real ones."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sonar_slt.bench.data.batches import SIZE, WORKERS, bench_batches, passed, serving
from sonar_slt.bench.data.growth import LAYOUT, bench_growth, held, served
from sonar_slt.bench.data.preparing import bench_preparing
from sonar_slt.bench.data.reads import bench_reads
from sonar_slt.bench.data.recordings import FRAMES, POINTS, movements, written
from sonar_slt.bench.memory import in_a_fresh_process
from sonar_slt.cli.bench import GROUPS, SUBJECTS, _subjects
from sonar_slt.config.assembly import assemble
from sonar_slt.config.build import build
from sonar_slt.data.corpora.prepared import Prepared
from sonar_slt.errors import UserError
from sonar_slt.processes import release_memory
from sonar_slt.space import SentenceSpace

DEU = "deu_Latn"
LINUX = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="the system does not say what is held")


def test_every_way_of_reading_gives_the_same_clips(tmp_path: Path) -> None:
    results = list(bench_reads(tmp_path, clips=3, rounds=2))
    assert [name in result.name for name, result in zip(("npz", "compressed", "safe", "float16"), results, strict=True)]
    assert [result.note for result in results[:3]] == ["largest difference 0"] * 3
    assert float(results[3].note.rsplit(maxsplit=1)[1]) < 5e-3
    assert all(result.plain > 0 and result.ours > 0 and result.of_limit for result in results)


def test_the_clips_that_are_measured_on_are_what_they_are_said_to_be(tmp_path: Path) -> None:
    clips = movements()
    assert {clip.shape for clip in clips} == {(FRAMES, POINTS, 3)} and len({clip.tobytes() for clip in clips}) > 10
    corpus = written(tmp_path / "corpus", clips, 5, dtype="float16", language="deu_Latn")
    assert corpus.clips.dtype == "float16" and list(corpus.clips.ids) == [row.id for row in corpus.rows]
    assert corpus.layout.points == POINTS and corpus.rows.splits == ["train", "dev", "test"]


def test_batches_of_workers_are_timed_beside_steps(sign_config: dict[str, Any], tmp_path: Path) -> None:
    made = assemble(sign_config)
    made.data.make_ready()
    before = [weight.clone() for weight in made.task.parameters()]
    result = bench_batches(made.task, tmp_path, batches=3, rounds=1)
    assert result.plain > 0 and result.ours > 0
    assert f"{SIZE} clips of {FRAMES}" in result.name and f"{WORKERS} workers" in result.name
    assert any(not torch.equal(a, b) for a, b in zip(before, made.task.parameters(), strict=True)), "steps were taken"


@LINUX
def test_memory_is_looked_at_in_the_training_process_and_its_worker(
    space: SentenceSpace, space_folder: Path, tmp_path: Path
) -> None:
    settings = {"_target_": "sonar_slt.space.SentenceSpace.from_pretrained", "source": str(space_folder)}
    corpus = written(tmp_path / "corpus", movements(6, 102), 40, dtype="float16", language=DEU, layout=LAYOUT)
    serving(corpus, space, DEU, tmp_path / "vectors", workers=0)
    clean, laden = (
        in_a_fresh_process(served, partial(opened_beside, settings, hog), tmp_path / "corpus", tmp_path / "vectors")
        for hog in (0, 10**8)
    )
    assert clean.keys() == {"training process", "worker"}
    for who, size in clean.items():
        assert size > 2**24 and 0.9e8 < laden[who] - size < 1.2e8, "what was taken before the fork counts in both"


HOG: list[bytes] = []


def opened_beside(settings: dict[str, Any], hog: int) -> Any:
    HOG.append(b"x" * hog)
    return build(settings)


def test_both_corpora_are_reported_for_each_process(
    space: SentenceSpace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fresh(_: Any, opened: Any, root: Path, cache: Path) -> dict[str, int]:
        return {"training process": int(root.name), "worker": len(Prepared(root=root).rows)}

    monkeypatch.setattr("sonar_slt.bench.data.growth.in_a_fresh_process", fresh)
    results = list(bench_growth(lambda: space, tmp_path, clips=4))
    assert [(result.plain, result.ours) for result in results] == [(4, 40)] * 2
    assert results[1].name == "memory of the worker over 4 and 40 clips"


@LINUX
def test_memory_is_what_this_process_took() -> None:
    release_memory()  # what earlier tests left may be given back at any time
    before = held()
    taken = torch.ones(50_000_000)
    assert 0.8 * 2e8 < held() - before < 1.2 * 2e8
    assert len(taken)


@LINUX
def test_clips_that_were_read_leave_no_page_of_the_index_behind(tmp_path: Path) -> None:
    clip = [np.zeros((1, 1, 3), np.float32)]
    store = written(tmp_path, clip, 20_000, dtype="float16", language=DEU, layout="").clips
    for number in range(len(store)):
        store.read(number)
    pages = Path("/proc/self/smaps").read_text().split("VmFlags")
    [index] = [entry for entry in pages if f"{tmp_path}/clips/index.npy" in entry]
    [resident] = re.findall(r"^Rss:\s+(\d+) kB", index, re.MULTILINE)
    assert int(resident) < 500, "of 780 kB"


def test_a_preparation_is_killed_and_gone_on_with(tmp_path: Path) -> None:
    growing, killed = bench_preparing(tmp_path, clips=12)
    assert growing.plain > 0 and growing.ours > 0 and growing.note.startswith("12 in ")
    assert "the same bytes" in killed.note and killed.name.startswith("prepare 48 clips")
    before, after = map(int, re.findall(r"\d+", killed.note))
    assert 24 <= before < 48 and 48 <= before + after <= 49, "at most the clip under way is opened twice"


def test_a_preparation_that_is_gone_on_with_otherwise_is_no_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sonar_slt.bench.data.preparing._bytes", lambda folder: {"": str(folder).encode()})
    with pytest.raises(RuntimeError, match="not what is prepared in one go"):
        list(bench_preparing(tmp_path, clips=12))


def test_batches_that_do_not_come_are_no_measurement() -> None:
    passed(iter(range(3)), 3)
    with pytest.raises(RuntimeError, match="2 of 3 batches"):
        passed(iter(range(2)), 3)


def test_a_group_is_all_of_its_subjects_and_what_takes_long_is_asked_for() -> None:
    amounts = ("rounds", "steps", "stepped", "encoded", "decoded", "trained", "read", "served", "held", "prepared")
    asked: dict[str, Any] = {**dict.fromkeys((*amounts, "seen"), 1), "space": {"a": 1}}
    assert _subjects({**asked, "inputs": ["data", "reads"]}) == list(GROUPS["data"])
    assert _subjects({**asked, "inputs": ["train"]}) == ["overhead", "likelihood", "waiting", "step"]
    assert set(SUBJECTS) - set(_subjects({**asked, "inputs": []})) == {"step"}
    with pytest.raises(UserError, match=r"'dta' is measured.* or train or data"):
        _subjects({**asked, "inputs": ["dta"]})
