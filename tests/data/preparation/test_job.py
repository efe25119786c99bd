"""The preparation job: what it writes, what it leaves out and by which rule, and that a kill costs nothing twice."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonar_slt.data.faults import Fault
from sonar_slt.data.labels.known import Variant, ids_hash
from sonar_slt.data.manifest import Manifest
from sonar_slt.data.preparation.clip import clean
from sonar_slt.data.preparation.job import prepare
from sonar_slt.data.preparation.settings import UNUSABLE
from sonar_slt.data.preparation.summary import corpus_lines
from sonar_slt.data.prepared_folder import PreparedFolder
from sonar_slt.data.release import Entry, Media, Reading, Span
from sonar_slt.data.store import ClipStore, StoreWriter
from sonar_slt.errors import UserError
from tests.data.preparation.tiny import POSES, TinyCorpus, entries, faint, slower, still, unseen

ROOT = Path(__file__).parents[3]


def planted() -> dict[str, Any]:
    """A corpus with one fault of almost every kind; in dev and test all is well."""
    given = entries()
    more = [replace(entry, id=f"{entry.id}-more", texts={"deu_Latn": (f"Mehr {entry.id}.",)}) for entry in given[:6]]
    more[0] = replace(more[0], id="../out")
    more[1] = replace(more[1], id=given[0].id)
    more[2] = replace(more[2], texts={"deu_Latn": (" ",)})
    more[3] = replace(more[3], texts=given[1].texts)
    more[4] = replace(more[4], pose=Media("pose", POSES / "long.npz", Span(4, 3)))
    more[5] = replace(more[5], split="")
    given[9] = replace(given[9], texts=given[2].texts)
    given[5] = replace(given[5], frames=100)
    gone = replace(given[0], id="gone", pose=None, texts={"deu_Latn": ("Fort.",)})
    return {
        "given": [*given, *more, gone],
        "broken": ["train-0"],
        "changed": {"train-1": still, "train-2": unseen, "train-3": faint, "train-4": slower},
        "faults": [
            Fault(id="gone", kind="missing_clip", told="no pose file", split="train"),
            Fault(id="ghost", kind="unlabelled_clip", told="no row names it"),
            Fault(id="train.csv", kind="bad_row", told="line 99 has 3 fields"),
            Fault(id="test-2", kind="known_bad", told="known to be bad"),
        ],
    }


EXPECTED = {
    ("../out", "bad_id", "left out"),
    ("train-0", "duplicate_id", "left out"),
    ("train-2-more", "empty_text", "left out"),
    ("train-3-more", "duplicate_sentence", "kept"),
    ("train-4-more", "span_empty", "left out"),
    ("train-5-more", "missing_split", "left out"),
    ("test-0", "leak", "kept"),
    ("train-5", "length_differs", "kept"),
    ("gone", "missing_clip", "left out"),
    ("train-0", "unreadable", "left out"),
    ("train-1", "static_clip", "kept"),
    ("train-2", "empty_clip", "left out"),
    ("train-3", "low_confidence", "kept"),
    ("train-4", "wrong_fps", "kept"),
    ("ghost", "unlabelled_clip", "noted"),
    ("train.csv", "bad_row", "noted"),
    ("test-2", "known_bad", "kept"),
}
KEPT = [
    *("train-1", "train-3", "train-4", "train-5", "dev-0", "dev-1", "dev-2", "test-0", "test-1", "test-2"),
    "train-3-more",
]


def run(folder: Path, **options: Any) -> PreparedFolder:
    return prepare(TinyCorpus(folder=folder, **options), workers=0, shown=False)


def faults(outcome: PreparedFolder) -> list[tuple[str, str, str]]:
    lines = [json.loads(line) for line in outcome.faults.read_text(encoding="utf-8").splitlines()]
    return [(line["id"], line["kind"], line["done"]) for line in lines]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestOutcome:
    def test_a_good_corpus_has_no_fault(self, tmp_path: Path) -> None:
        outcome = run(tmp_path)
        assert outcome.made and faults(outcome) == []
        names = {"manifest.jsonl", "clips", "faults.jsonl", "summary.json", "report.html"}
        assert {path.name for path in outcome.folder.iterdir()} == names
        assert {path.name for path in tmp_path.iterdir() if path.suffix != ".lock"} == {outcome.folder.name}
        rows, store = Manifest(outcome.folder / "manifest.jsonl"), ClipStore(outcome.folder / "clips")
        assert [row.id for row in rows] == [entry.id for entry in entries()]
        assert (store.layout, store.normalised, store.dtype) == ("signing", "signer", np.float16)
        assert all(len(store[number]) == row.frames for number, row in enumerate(rows))
        assert np.array_equal(store["dev-1"], store[7])

    def test_exactly_the_planted_faults_are_found(self, tmp_path: Path) -> None:
        outcome = run(tmp_path, **planted())
        assert Counter(faults(outcome)) == Counter(EXPECTED)
        assert [row.id for row in Manifest(outcome.folder / "manifest.jsonl")] == KEPT
        assert len(ClipStore(outcome.folder / "clips")) == len(KEPT)
        by_kind = Counter(kind for _, kind, _ in EXPECTED)
        assert {kind: sum(done.values()) for kind, done in outcome.summary["faults"].items()} == by_kind

    def test_what_is_prepared_is_not_prepared_again(self, tmp_path: Path) -> None:
        log = tmp_path / "log"
        first = run(tmp_path, log=log)
        opened = log.read_text()
        again = run(tmp_path, log=log)
        assert (first.made, again.made, again.summary) == (True, False, first.summary)
        assert log.read_text() == opened
        renewed = prepare(TinyCorpus(folder=tmp_path, log=log), workers=0, shown=False, renew=True)
        assert renewed.made and log.read_text() == 2 * opened and files(renewed.folder)

    def test_renewing_says_what_becomes_of_translations(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        first = prepare(TinyCorpus(folder=tmp_path), workers=0, shown=False)
        assert "augment-text" not in capsys.readouterr().err
        (first.folder / "translations.json").write_text("{}")
        prepare(TinyCorpus(folder=tmp_path), workers=0, shown=False, renew=True)
        assert "augment-text` with the same words brings them back" in capsys.readouterr().err

    def test_pictures_alone_leave_a_manifest_and_no_clips(self, tmp_path: Path) -> None:
        from PIL import Image

        given = []
        for entry in entries():
            folder = tmp_path / "frames" / entry.id
            folder.mkdir(parents=True)
            for number in range(3):
                Image.new("RGB", (4, 4)).save(folder / f"images{number + 1:04d}.png")
            given.append(replace(entry, pose=None, pictures=Media("frames", folder)))

        class Pictures(TinyCorpus):
            record = TinyCorpus.__mro__[1].record  # type: ignore[attr-defined]

        outcome = prepare(Pictures(folder=tmp_path / "made", given=given), workers=0, shown=False)
        assert not (outcome.folder / "clips").exists() and faults(outcome) == []
        assert {row.frames for row in Manifest(outcome.folder / "manifest.jsonl")} == {3}

    def test_a_clip_without_points_among_others_is_missing(self, tmp_path: Path) -> None:
        given = entries()
        given[1] = replace(given[1], pose=None)
        assert faults(run(tmp_path, given=given)) == [("train-1", "missing_clip", "left out")]

    def test_all_recorded_points_are_kept_if_asked(self, tmp_path: Path) -> None:
        outcome = run(tmp_path, layout=None, broken=["train-0"])
        store = ClipStore(outcome.folder / "clips")
        assert store.layout == "openpose_137" and store.shape == (137, 3)


class TestRules:
    def test_every_rule_that_lacks_is_named_at_once(self, tmp_path: Path) -> None:
        given = entries()
        given[1] = replace(given[1], id="")
        with pytest.raises(UserError) as told:
            run(tmp_path, given=given, leave_out=["leak", "missing_clip"])
        assert all(kind in str(told.value).split("leave_out=")[1] for kind in (*UNUSABLE, "leak"))
        with pytest.raises(UserError, match=r"no frame\. Mend"):
            fault = Fault(id="gone", kind="missing_clip", told="no frame.", split="train")
            run(tmp_path, given=[*given[2:], replace(given[0], id="gone", pose=None)], faults=[fault], leave_out=[])

    @pytest.mark.parametrize("kind", ["bad_row", "unlabelled_clip"])
    def test_what_is_of_no_clip_leaves_none_out(self, tmp_path: Path, kind: str) -> None:
        with pytest.raises(UserError, match=f"leave_out: {kind} is always noted"):
            run(tmp_path, leave_out=[kind])

    @pytest.mark.parametrize(
        "kind", ["unreadable", "empty_clip", "bad_id", "missing_clip", "duplicate_id", "span_empty"]
    )
    def test_a_clip_that_cannot_be_kept_needs_a_rule(self, tmp_path: Path, kind: str) -> None:
        rules = [rule for rule in TinyCorpus(folder=tmp_path).preparation.leave_out if rule != kind]
        with pytest.raises(UserError, match=rf"cannot be kept.*{kind}.*preparation\.leave_out=\[.*{kind}.*\]"):
            run(tmp_path, **planted(), leave_out=rules)

    def test_a_rule_leaves_out_what_would_be_kept(self, tmp_path: Path) -> None:
        rules = [*TinyCorpus(folder=tmp_path).preparation.leave_out, "leak", "static_clip"]
        done = {(id, kind): done for id, kind, done in faults(run(tmp_path, **planted(), leave_out=rules))}
        assert done["test-0", "leak"] == done["train-1", "static_clip"] == "left out"
        assert done["train-3", "low_confidence"] == "kept"

    def test_without_its_rule_a_clip_without_a_sentence_is_kept(self, tmp_path: Path) -> None:
        rules = TinyCorpus(folder=tmp_path).preparation.leave_out - {"empty_text"}
        outcome = run(tmp_path, **planted(), leave_out=sorted(rules))
        assert ("train-2-more", "empty_text", "kept") in faults(outcome)

    def test_what_the_labels_leave_out_is_never_opened(self, tmp_path: Path) -> None:
        log = tmp_path / "log"
        run(tmp_path, **planted(), log=log)
        opened = log.read_text().split()
        assert "../out" not in opened and "gone" not in opened and "train-2-more" not in opened
        assert len(opened) == len(set(opened))

    def test_a_split_without_a_clip_is_refused_before_any_is_opened(self, tmp_path: Path) -> None:
        given = [replace(entry, pose=None) if entry.split == "dev" else entry for entry in entries()]
        missing = [Fault(id=f"dev-{n}", kind="missing_clip", told="no pose file", split="dev") for n in range(3)]
        log = tmp_path / "log"
        with pytest.raises(
            UserError, match=r"No clip of the split dev .*3 in the labels.*3 missing_clip.*no pose file"
        ):
            run(tmp_path, given=given, faults=missing, log=log)
        assert not log.exists()

    def test_a_split_whose_clips_are_all_broken_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"No clip of the split test .*3 unreadable"):
            run(tmp_path, broken=["test-0", "test-1", "test-2"])
        assert not list(tmp_path.glob("tiny-*/"))

    @pytest.mark.parametrize("split", ["train", "dev"])
    def test_a_split_that_the_release_must_have_is_refused_when_empty(self, tmp_path: Path, split: str) -> None:
        known = [Variant("v1", {"train": 6, "dev": 3, "test": 3}), Variant("v2", {"train": 7, "dev": 3})]
        given = [entry for entry in entries() if entry.split != split]
        with pytest.raises(UserError, match=f"no clip of the split {split}"):
            run(tmp_path, given=given, known=known)
        assert run(tmp_path, given=[e for e in entries() if e.split != "test"], known=known).made

    def test_no_entry_at_all(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="name no clip"):
            run(tmp_path, given=[])


KILLED = """
import sys
from pathlib import Path
from sonar_slt.data.preparation.clip import clean
from sonar_slt.data.preparation.job import prepare
from tests.data.preparation.tiny import TinyCorpus
from tests.data.preparation.test_job import planted

class Light(TinyCorpus):
    def record(self, entry, *, size=None):
        assert "torch" not in sys.modules
        return super().record(entry, size=size)

if __name__ == "__main__":
    folder, deadly, workers = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    corpus = Light(folder=folder, log=folder / "log", deadly=deadly or None, **planted())
    prepare(corpus, workers=workers, shown=False)
"""


def start(folder: Path, deadly: str, workers: int = 0) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    (folder / "job.py").write_text(KILLED)
    words = [sys.executable, str(folder / "job.py"), str(folder), deadly, str(workers)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


class TestInterrupted:
    def test_a_killed_job_goes_on_and_is_the_same_as_an_unbroken_one(self, tmp_path: Path) -> None:
        whole = run(tmp_path / "whole", **planted())
        folder = tmp_path / "killed"
        for deadly in ("train-3", "dev-2", "test-1"):
            assert start(folder, deadly).returncode == 9
            assert not list(folder.glob("tiny-*/"))
        assert start(folder, "").returncode == 0
        made = folder / whole.folder.name
        assert files(made) == files(whole.folder)
        opened = Counter((folder / "log").read_text().split())
        assert {id: number for id, number in opened.items() if number > 1} == {"train-3": 2, "dev-2": 2, "test-1": 2}
        assert not list(folder.glob(".*.part"))

    def test_processes_change_no_byte_and_their_death_is_told(self, tmp_path: Path) -> None:
        whole = run(tmp_path / "whole", **planted())
        folder = tmp_path / "several"
        died = start(folder, "dev-2", workers=2)
        assert died.returncode == 1 and "with fewer than workers=2" in died.stderr
        done = start(folder, "", workers=2)
        assert done.returncode == 0, done.stderr
        assert files(folder / whole.folder.name) == files(whole.folder)

    def test_a_job_killed_behind_the_last_clip_only_gets_its_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = run(tmp_path / "whole", **planted())

        def dies(*given: Any) -> None:
            raise KeyboardInterrupt

        log = tmp_path / "log"
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr("sonar_slt.data.preparation.job.write_page", dies)
            run(tmp_path / "late", **planted(), log=log)
        opened = log.read_text()
        assert files(run(tmp_path / "late", **planted(), log=log).folder) == files(whole.folder)
        assert log.read_text() == opened

    def test_other_labels_are_begun_anew(self, tmp_path: Path) -> None:
        with pytest.raises(RuntimeError, match="dev-1"):
            run(tmp_path, changed={"dev-1": lambda made: 1 / 0})
        given = entries()
        outcome = run(tmp_path, given=[given[1], given[0], *given[2:]])
        assert [row.id for row in Manifest(outcome.folder / "manifest.jsonl")][:2] == ["train-1", "train-0"]

    def test_a_full_disk_is_told_and_gone_on_with(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = run(tmp_path / "whole", **planted())
        append, log = StoreWriter.append, tmp_path / "log"

        def full(writer: StoreWriter, clip: str, *rest: Any) -> None:
            if clip == "dev-0":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            append(writer, clip, *rest)

        folder = tmp_path / "full"
        with monkeypatch.context() as patched, pytest.raises(UserError) as told:
            patched.setattr(StoreWriter, "append", full)
            run(folder, **planted(), log=log)
        assert str(folder) in str(told.value) and " MB free; No space left on device)" in str(told.value)
        assert files(run(folder, **planted(), log=log).folder) == files(whole.folder)
        assert Counter(log.read_text().split()).most_common(2)[0] == ("dev-0", 2)

    def test_a_place_that_takes_nothing_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(UserError, match=r"Nothing can be written to .*file' .*paths\.corpora=FOLDER"):
            run(tmp_path / "file")


def test_labels_that_cannot_be_read_are_not_taken_for_a_place_that_takes_nothing(tmp_path: Path) -> None:
    class Locked(TinyCorpus):
        def read(self) -> Reading:
            raise PermissionError(errno.EACCES, "Permission denied", "train.csv")

    with pytest.raises(UserError, match=r"^'train\.csv' cannot be read: Permission denied\.$"):
        prepare(Locked(folder=tmp_path), workers=0, shown=False)


def on_disk(folder: Path) -> list[Entry]:
    """The clips of the tiny corpus, with a file each."""
    folder.mkdir()
    given = [replace(entry, pose=Media("pose", folder / f"{entry.id}.npz")) for entry in entries()]
    for entry in given:
        (folder / f"{entry.id}.npz").write_text("whole")
    return given


class TestMended:
    @pytest.mark.parametrize("renew", [False, True])
    def test_a_job_that_was_stopped_goes_on_up_to_what_was_mended(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], renew: bool
    ) -> None:
        given, log, made = on_disk(tmp_path / "poses"), tmp_path / "log", tmp_path / "made"
        if renew:
            run(made, given=given)
        gone, missing = [*given], Fault(id="train-5", kind="missing_clip", told="no pose file", split="train")
        gone[5] = replace(given[5], pose=None)
        broken = TinyCorpus(folder=made, given=gone, broken=["train-3"], faults=[missing], log=log)
        broken.changed = {"dev-1": lambda recording: 1 / 0}
        with pytest.raises(RuntimeError, match="dev-1"):
            prepare(broken, workers=0, shown=False, renew=renew)
        (tmp_path / "poses" / "train-3.npz").write_text("whole again")
        outcome = prepare(TinyCorpus(folder=made, given=given, log=log), workers=0, renew=renew)
        told = "Going on behind clip 3 of 12; the next is not what it was, so that 4 are done again."
        assert told in capsys.readouterr().err and faults(outcome) == []
        assert files(outcome.folder) == files(run(tmp_path / "whole", given=given).folder)
        opened = Counter(log.read_text().split())
        assert {id for id, number in opened.items() if number > 1} == {"train-3", "train-4", "dev-0", "dev-1"}
        assert not list(made.glob(".*part"))

    def test_a_split_that_was_refused_for_its_clips_is_looked_at_again(self, tmp_path: Path) -> None:
        given, made = on_disk(tmp_path / "poses"), tmp_path / "made"
        with pytest.raises(UserError, match="No clip of the split dev"):
            run(made, given=given, broken=["dev-0", "dev-1", "dev-2"])
        for number in range(3):
            (tmp_path / "poses" / f"dev-{number}.npz").write_text("whole again")
        assert faults(run(made, given=given)) == []

    def test_the_layout_is_that_of_the_first_clip_that_can_be_read_now(self, tmp_path: Path) -> None:
        given, made = on_disk(tmp_path / "poses"), tmp_path / "made"
        with pytest.raises(UserError, match="No clip of the split train"):
            run(made, given=given, layout=None, broken=[entry.id for entry in given])
        for entry in given:
            (tmp_path / "poses" / f"{entry.id}.npz").write_text("whole again")
        assert ClipStore(run(made, given=given, layout=None).folder / "clips").layout == "openpose_137"


class TestLeftBehind:
    @pytest.mark.parametrize("renew", [False, True])
    def test_a_death_between_two_renames_is_settled(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renew: bool
    ) -> None:
        folder, rename = run(tmp_path).folder, Path.rename
        (tmp_path / f".{folder.name}.part").mkdir()  # of a job that was stopped before

        def dies(path: Path, target: Path) -> Path:
            if path.suffix == ".part":
                raise KeyboardInterrupt
            return rename(path, target)

        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(Path, "rename", dies)
            prepare(TinyCorpus(folder=tmp_path), workers=0, shown=False, renew=True)
        assert not folder.exists() and list(tmp_path.glob(".*.former"))
        assert prepare(TinyCorpus(folder=tmp_path), workers=0, shown=False, renew=renew).made == renew
        left = {path.name for path in tmp_path.iterdir() if path.suffix != ".lock"}
        assert left == {folder.name} | (set() if renew else {f".{folder.name}.part"})

    def test_a_renewal_that_only_lacked_its_page_is_begun_anew(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run(tmp_path)

        def dies(*given: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr("sonar_slt.data.preparation.job.write_page", dies)
            prepare(TinyCorpus(folder=tmp_path), workers=0, shown=False, renew=True)
        log = tmp_path / "log"
        prepare(TinyCorpus(folder=tmp_path, log=log), workers=0, shown=False, renew=True)
        assert len(log.read_text().split()) == 12


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    script = tmp_path / "job.py"
    script.write_text(KILLED.replace('if __name__ == "__main__":', "if True:"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, str(script), str(tmp_path), "", "2"]
    ended = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    last = ended.stderr.rsplit("UserError: ", 1)[-1]
    assert ended.returncode == 1 and "below `if __name__ == '__main__':`" in last


class TestSummary:
    def test_counts_and_known_variants(self, tmp_path: Path) -> None:
        ids = [entry.id for entry in entries()]
        known = [
            Variant("v1", {"train": 13, "dev": 3, "test": 3}, ids={"dev": ids_hash(ids[6:9]), "test": "0" * 16}),
            Variant("v2", {"train": 11, "dev": 3}),
        ]
        outcome = run(tmp_path, **planted(), known=known)
        train = outcome.summary["splits"]["train"]
        assert (train["clips"], train["labelled"], train["signers"]) == (5, 12, 2)
        assert train["frames"] == 300 and train["hours"] == round((4 * 60 / 25 + 60 / 20) / 3600, 4)
        assert train["languages"]["deu_Latn"] == {
            **{"sentences": 5, "words": 20, "vocabulary": 7, "pseudo": 0, "unit": "words"},
        }
        assert outcome.summary["known"] == [
            "Labels of train: 12 clips, 1 fewer than v1 (13); known too: v2 (11).",
            "Labels of dev: 3 clips, clip for clip v1.",
            "Labels of test: 3 clips, as many as v1, but not the same clips.",
            "Kept of train: 5 clips, 6 fewer than v2 (11); known too: v1 (13).",
        ]

    def test_characters_are_counted_where_words_stand_together(self, tmp_path: Path) -> None:
        given = [replace(entry, texts={"zho_Hans": ("他今年 四岁。", "他")}) for entry in entries()]
        found = run(tmp_path, given=given, repeats=False).summary["splits"]["dev"]["languages"]["zho_Hans"]
        assert found == {"sentences": 6, "words": 21, "vocabulary": 6, "pseudo": 0, "unit": "characters"}

    def test_check_says_the_same_before_and_after(self, tmp_path: Path) -> None:
        corpus = TinyCorpus(folder=tmp_path, **planted())
        before = corpus_lines(corpus, command="sonar-slt prepare data=tiny")
        assert "12 train, 3 dev, 3 test clips in its labels" in before[0] and not corpus.prepared.exists()
        outcome = run(tmp_path, **planted())
        after = corpus_lines(corpus, command="sonar-slt prepare data=tiny")
        assert after[0] == "Corpus: tiny, 5 train, 3 dev, 3 test clips; 0.01 hours"
        assert (
            f"dev {ids_hash(['dev-2', 'dev-0', 'dev-1'])}" in before[1]
            and f"dev {ids_hash(['dev-0', 'dev-1', 'dev-2'])}" in after[1]
        )
        assert after[-1] == f"Report: {outcome.report}" and "1 leak" in after[-2]


def test_the_page_holds_its_data_and_no_markup_of_theirs(tmp_path: Path) -> None:
    given = entries()
    given[0] = replace(given[0], texts={"deu_Latn": ("</script><b>Regen</b> \ud800",)})
    given[1] = replace(given[1], texts=given[0].texts)
    given[7] = replace(given[7], signer="")
    page = run(tmp_path, given=given).report.read_text(encoding="utf-8")
    assert "<b>Regen" not in page and "https:" not in page and page.count("http:") == 1  # the name of svg
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    assert [fault["kind"] for fault in data["listed"]] == ["mojibake", "mojibake", "duplicate_sentence"]
    assert data["listed"][0]["text"].startswith("</script><b>Regen</b>") and len(data["samples"]) == 12
    assert sum(data["seconds"]["counts"]["train"]) == 6 and sum(data["words"]["counts"]["dev"]) == 3
    assert data["signers"][0] == {"name": "signer0", "train": 3, "dev": 2, "test": 2}
    assert len(data["signers"]) == 3 and data["signer_count"] == 2


TEXT = st.text(st.characters(categories=["L", "P", "Z", "Cc", "Cs"]), max_size=6)
TIME = st.floats(allow_nan=True, allow_infinity=True) | st.just(0.0) | st.just(2.0)
ANYTHING = st.builds(
    Entry,
    id=TEXT | st.sampled_from(["train-0", "..", "a/b"]),
    split=st.sampled_from(["train", "dev", "", "\n"]),
    texts=st.dictionaries(st.sampled_from(["deu_Latn", "zho_Hans"]), st.lists(TEXT, max_size=2).map(tuple)),
    where=st.just("line 1"),
    signer=TEXT,
    gloss=st.none() | TEXT,
    pose=st.none()
    | st.builds(Media, st.just("pose"), st.just(POSES / "x.npz"), st.none() | st.builds(Span, TIME, TIME)),
    frames=st.none() | st.integers(-3, 200),
    tags=st.lists(TEXT, max_size=1).map(tuple),
)


@pytest.mark.properties
@settings(max_examples=60, deadline=None, derandomize=True)
@given(odd=st.lists(ANYTHING, max_size=5))
def test_whatever_the_labels_say_every_entry_is_kept_or_told_why_not(odd: list[Entry]) -> None:
    with TemporaryDirectory() as folder:
        given = [*entries(), *odd]
        outcome = run(Path(folder), given=given)
        kept = [row.id for row in Manifest(outcome.folder / "manifest.jsonl")]
        left_out = {clean(id) for id, _, done in faults(outcome) if done == "left out"}
        assert len(kept) == len(set(kept)) == len(ClipStore(outcome.folder / "clips"))
        assert {clean(entry.id) for entry in given} == set(kept) | left_out
