"""`sonar-slt prepare`: what it says and leaves, what it refuses, and that it goes on where it was stopped."""

from __future__ import annotations

import json
import re
import resource
import shlex
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sonar_slt.cli import main
from sonar_slt.cli.command.arguments import quoted
from sonar_slt.data.corpora.toy.corpus import ToyCorpus
from sonar_slt.data.manifest import Manifest
from sonar_slt.data.store import ClipStore
from tests.forked import forked

pytestmark = pytest.mark.smoke

ROOT = Path(__file__).parents[2]
SMALL = ["data.train=9", "data.dev=2", "data.test=2"]

Prepare = Callable[..., int]


@pytest.fixture
def prepare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prepare:
    """The verb in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: main(["prepare", *words])


def prepared(name: str) -> Path:
    [folder] = Path("outputs/corpora").glob(f"{name}-*/")
    return folder


class TestOfTheToyWorld:
    def test_it_ends_with_a_table_and_says_where_all_is(
        self, prepare: Prepare, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert prepare(*SMALL) == 0
        said, folder = capsys.readouterr(), prepared("toy")
        assert said.err == "" and said.out.startswith(f"Prepared: toy in {folder}\n")
        rows = [line.split() for line in said.out.splitlines()]
        assert ["dev", "2", "2"] in [row[:3] for row in rows] and ["deu_Latn", "train", "27"] in [
            row[:3] for row in rows
        ]
        assert f"No fault was found.\nFaults, one a line: {folder}/faults.jsonl\n" in said.out
        assert f"To look at: {folder}/report.html\n" in said.out
        assert len(Manifest(folder / "manifest.jsonl")) == len(ClipStore(folder / "clips")) == 13
        assert prepare(*SMALL) == 0
        assert capsys.readouterr().out.startswith(f"Prepared already: toy in {folder} (renew=true prepares it again)\n")

    def test_other_settings_make_another_folder_and_renewing_the_same(self, prepare: Prepare) -> None:
        assert prepare(*SMALL) == 0
        first = {path.name: path.stat().st_ino for path in prepared("toy").iterdir()}
        assert prepare(*SMALL, "renew=true", "workers=0") == 0
        assert all(path.stat().st_ino != first[path.name] for path in prepared("toy").iterdir())
        assert prepare(*SMALL, "normalise=frame", "preparation.precision=float32", "preparation.layout=null") == 0
        made = [ClipStore(folder / "clips") for folder in Path("outputs/corpora").glob("toy-*/")]
        told = {(store.layout, store.normalised, str(store.dtype)) for store in made}
        assert told == {("signing", "signer", "float16"), ("openpose_137", "frame", "float32")}


class TestOfARelease:
    def test_what_was_planted_is_found(self, prepare: Prepare, capsys: pytest.CaptureFixture[str]) -> None:
        traps = "traps=[missing_clip,leak,empty_text,stray_file]"
        assert prepare(*SMALL, "write_as=phoenix14t", traps) == 0
        said = capsys.readouterr().out
        root = Path("outputs/releases/toy-phoenix14t")
        assert f"Read it: sonar-slt prepare data=phoenix14t data.root={root}\n" in said
        assert prepare("data=phoenix14t", f"data.root={root}") == 0
        said, folder = capsys.readouterr().out, prepared("phoenix14t")
        found = [json.loads(line) for line in (folder / "faults.jsonl").read_text().splitlines()]
        planted = json.loads((root / "written.json").read_text())["planted"]
        assert Counter((fault["id"], fault["kind"]) for fault in found) == Counter(
            (p["id"], p["kind"]) for p in planted
        )
        done = {fault["kind"]: fault["done"] for fault in found}
        assert done == {"missing_clip": "left out", "leak": "kept", "empty_text": "left out", "stray_file": "kept"}
        assert "Labels of train: 9 clips, 7,087 fewer than " in said and "Kept of train: 7 clips, " in said
        assert not (folder / "clips").exists() and len(Manifest(folder / "manifest.jsonl")) == 11

    @pytest.mark.parametrize("output", ["a (b)=c, d/releas'e", "12e5"])
    def test_the_commands_that_are_told_can_be_run(
        self, prepare: Prepare, capsys: pytest.CaptureFixture[str], output: str
    ) -> None:
        said = f"output={quoted(output)}"
        assert prepare("data.train=3", "data.dev=1", "data.test=1", "write_as=phoenix14t", said) == 0
        [told] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Read it: ")]
        words = shlex.split(told.removeprefix("Read it: "))[2:]
        assert main(["check", *words]) == 0
        [hint] = re.findall(r"`(.*)`", capsys.readouterr().out)
        assert shlex.split(hint) == ["sonar-slt", "prepare", *words]
        assert prepare(*words) == 0 and len(Manifest(prepared("phoenix14t") / "manifest.jsonl")) == 5

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (["workers=-1"], "workers=-1: a number of processes"),
            (["traps=all"], "traps= goes with write_as="),
            (["output=x"], "output= goes with write_as="),
            (["write_as=bobsl"], "write_as=bobsl: the toy world can be written as phoenix14t, "),
            (["write_as=phoenix14t", "traps=[nothing]"], "There is no trap 'nothing' in this layout"),
            (["data=phoenix14t", "data.root=file", "write_as=phoenix14t"], "choose data=toy"),
            (["data=phoenix14t", "data.root=file"], "file"),
            (["data=phoenix14t", "data.root=nowhere"], "nowhere"),
            (["data=phoenix14t"], "data.root"),
            (["preparation.leave_out=[everything]"], "no kind of fault is called 'everything'"),
            (["preparation.precision=float8"], "preparation.precision=float8: choose float16 or float32"),
            (["preparation.layout=coco"], "There is no layout called 'coco'; there are signing, "),
            (["preparation.leave_out=[bad_row]"], "bad_row is always noted alone"),
            (["paths.corpora=/proc/x"], "Nothing can be written to '/proc/x'"),
            (["paths.corpora=file"], "Nothing can be written to 'file'"),
        ],
    )
    def test_wrong_input_is_one_sentence(
        self, prepare: Prepare, capsys: pytest.CaptureFixture[str], words: list[str], says: str
    ) -> None:
        Path("file").write_text("")
        assert prepare(*SMALL[: 0 if "data=phoenix14t" in words else None], *words) == 2
        said = capsys.readouterr().err
        assert says in said and said.count("\n") == 1
        assert not list(Path().glob("outputs/*/*/")) and Path("file").read_text() == ""


class TestInterrupted:
    @pytest.mark.parametrize(
        ("stopped_by", "says"), [(signal.SIGINT, "Interrupted.\n"), (signal.SIGTERM, "Terminated.\n")]
    )
    def test_it_says_that_the_same_command_goes_on(
        self,
        prepare: Prepare,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
        stopped_by: signal.Signals,
        says: str,
    ) -> None:
        record, opened = ToyCorpus.record, []

        def interrupted(corpus: Any, entry: Any, **options: Any) -> Any:
            opened.append(entry.id)
            if len(opened) == 8:
                signal.raise_signal(stopped_by)
            return record(corpus, entry, **options)

        monkeypatch.setattr(ToyCorpus, "record", interrupted)
        assert prepare(*SMALL, "workers=0") == 1
        said = capsys.readouterr()
        assert "The same command goes on" in said.out and said.err == says
        assert not list(Path("outputs/corpora").glob("toy-*/"))
        assert prepare(*SMALL, "workers=0") == 0
        assert "Going on behind clip 7 of 13." in capsys.readouterr().err
        assert {id: number for id, number in Counter(opened).items() if number > 1} == {opened[7]: 2}

    def test_a_full_disk_is_one_sentence_and_gone_on_with(self, tmp_path: Path) -> None:
        words = ["prepare", *SMALL, f"paths.outputs={tmp_path}"]

        def full() -> int:
            resource.setrlimit(resource.RLIMIT_FSIZE, (204_800, 204_800))
            return main(words)

        ended, said = forked(full, tmp_path / "said"), tmp_path / "said"
        ended.join(60)
        assert ended.exitcode == 2 and f"No room to write in '{tmp_path}/corpora'" in said.read_text("utf-8")
        assert said.read_text("utf-8").count("\n") == 1, said.read_text("utf-8")
        done = forked(lambda: main(words), said)
        done.join(60)
        assert done.exitcode == 0 and "Going on behind clip " in said.read_text("utf-8")
