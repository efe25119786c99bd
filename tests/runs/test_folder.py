"""The names of the files in a run's folder: who looks for one finds what was written under that name."""

from __future__ import annotations

from pathlib import Path

from sonar_slt.runs.folder import all_hypotheses, checkpoint_of, hypotheses_of, is_run, log_of, split_and_language
from sonar_slt.runs.record import Run


def test_hypotheses_are_found_again_by_split_and_language(tmp_path: Path) -> None:
    assert all_hypotheses(tmp_path) == []
    written = [hypotheses_of(tmp_path, split, code) for split in ("dev", "test") for code in ("deu_Latn", "eng_Latn")]
    written[0].parent.mkdir()
    for path in (*written, written[0].parent / "notes.txt"):
        path.touch()
    assert all_hypotheses(tmp_path) == written
    assert all_hypotheses(tmp_path, "test") == written[2:] and all_hypotheses(tmp_path, "train") == []
    assert [split_and_language(path) for path in written[1:3]] == [("dev", "eng_Latn"), ("test", "deu_Latn")]


def test_what_a_run_writes_lies_where_it_is_looked_for(tmp_path: Path) -> None:
    with Run.start(tmp_path, verb="train", name="toy", config={}, overrides=[]) as run:
        run.log("dev", 1, {"bleu": 1.0})
        run.log("train", 1, {"loss": 1.0})
    assert is_run(run.folder) and not is_run(tmp_path)
    lines = {split: (run.folder / log_of(split)).read_text().count("\n") for split in ("train", "dev")}
    assert lines == {"train": 2, "dev": 1}
    assert not checkpoint_of(run.folder).exists() and checkpoint_of(run.folder, "best").name == "best.ckpt"
