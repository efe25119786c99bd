"""A bundle carries a run's hypotheses whole, and sacrebleu's own command finds in it the scores that it tells."""

import json
import os
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from sonar_slt.errors import UserError
from sonar_slt.runs.hypotheses import bundle
from sonar_slt.runs.hypotheses.bundle import ids_hash, read_bundle, read_manifest, write_bundle
from sonar_slt.runs.hypotheses.recheck import command
from sonar_slt.runs.record import Run

GERMAN = [
    ("Am Montag gibt es Regen.", ["Am Montag gibt es im Norden Regen.", "Montag: Regen im Norden!"]),
    ("", ["Es bleibt trocken."]),
    ("Heute Nacht  Sturm an der Küste – bis 90 km/h. ", ["Heute Nacht Sturm an der Küste, bis zu 90 km/h.", "Sturm."]),
    ("erste Zeile\nzweite", ["erste Zeile zweite"]),
]
CHINESE = [("星期一北方有雨。", ["星期一北部有雨。"]), ("今天晴", ["今天天气晴朗。"])]
METRICS: Mapping[str, Callable[[str], Any]] = {
    "bleu": lambda code: BLEU(tokenize="zh" if code == "zho_Hans" else "13a"),
    "chrf": lambda code: CHRF(),
    "chrf_pp": lambda code: CHRF(word_order=2, lowercase=True),
    "ter": lambda code: TER(case_sensitive=True, normalized=True),
}


def scored(code: str, pairs: list[tuple[str, list[str]]], ids: list[str]) -> dict[str, Any]:
    streams = [list(stream) for stream in zip_longest(*(references for _, references in pairs))]
    entry: dict[str, Any] = {"language": code, "n": len(ids), "ids_hash": ids_hash(ids), "references": "human"}
    for name, make in METRICS.items():
        metric = make(code)
        value = metric.corpus_score([text for text, _ in pairs], streams).score
        entry[name] = {"value": value, "signature": str(metric.get_signature()), "interval": None}
    return entry


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Run.start(tmp_path / "runs", verb="evaluate", name="signs", config={"a": 1}, overrides=[]) as run:
        (run.folder / "hypotheses").mkdir()
        rows = []
        for code, pairs in (("deu_Latn", GERMAN), ("zho_Hans", CHINESE)):
            ids = [f"clip/{number}" for number in range(len(pairs))]
            lines = [
                {"id": key, "language": code, "hypothesis": said, "references": references, "cosine": 0.5}
                for key, (said, references) in zip(ids, pairs, strict=True)
            ]
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            (run.folder / "hypotheses" / f"test.{code}.jsonl").write_text(text, encoding="utf-8")
            rows.append(scored(code, pairs, ids))
        run.update(metrics={"split": "test", "scores": rows}, manifest_hash="m", space_fingerprint="s")
    return run.folder


def test_what_went_in_comes_out_and_the_same_run_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    path = write_bundle(folder)
    again = write_bundle(folder, tmp_path / "new" / "again.zip")
    assert path == folder / "bundle.zip"
    assert path.read_bytes() == again.read_bytes()
    assert [(part.language, part.split) for part in read_bundle(path)] == [("deu_Latn", "test"), ("zho_Hans", "test")]
    for language, split, lines in read_bundle(path):
        written = (folder / "hypotheses" / f"{split}.{language}.jsonl").read_text(encoding="utf-8")
        assert lines == [json.loads(line) for line in written.splitlines()]
    manifest = read_manifest(path)
    assert (manifest["split"], manifest["space_fingerprint"], manifest["run"]["name"]) == ("test", "s", "signs")
    assert manifest["parts"][0]["n"] == len(GERMAN)
    assert manifest["parts"][0]["ids_hash"] == ids_hash(f"clip/{number}" for number in range(len(GERMAN)))
    record = json.loads((folder / "record.json").read_text())
    assert manifest["parts"][0]["scores"] == {name: record["metrics"]["scores"][0][name] for name in METRICS}


def test_the_commands_of_the_readme_print_the_scores_of_the_run(folder: Path, tmp_path: Path) -> None:
    path = write_bundle(folder)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
    readme = (tmp_path / "README.txt").read_text()
    tried = 0
    for part in read_manifest(path)["parts"]:
        for name, score in part["scores"].items():
            found = command(part, name)
            if found is None:  # German sentences have one or two references, which TER's mean length would show
                assert (part["language"], name) == ("deu_Latn", "ter")
                continue
            assert found in readme
            words = [sys.executable, "-m", *shlex.split(found)]
            done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True, env=os.environ)
            assert float(done.stdout) == pytest.approx(score["value"], abs=1e-6), found
            tried += 1
    assert tried == 7
    assert "1 texts hold line breaks" in readme


def test_a_score_that_sacrebleu_does_not_sign_has_no_command() -> None:
    part = {"split": "test", "language": "deu_Latn", "references_per_sentence": [1, 1], "scores": {}}
    for signature in (
        "nrefs:1|case:mixed|tok:words|version:0.1.0",
        "nrefs:1|case:mixed|eff:no|tok:13a|smooth:floor[0.1]",
    ):
        assert command({**part, "scores": {"own": {"value": 1.0, "signature": signature}}}, "own") is None


def test_hypotheses_that_are_not_those_that_were_scored_are_refused(folder: Path) -> None:
    path = folder / "hypotheses" / "test.deu_Latn.jsonl"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("clip/0", "clip/9"), encoding="utf-8")
    with pytest.raises(UserError, match="not those that were scored"):
        write_bundle(folder)
    path.write_text(text[:-20], encoding="utf-8")
    with pytest.raises(UserError, match="line 4: expected a json object"):
        write_bundle(folder)


def altered(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    target = path.with_name("altered.zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return target


def other_version(entries: dict[str, bytes]) -> None:
    entries["manifest.json"] = entries["manifest.json"].replace(b'"version": 1,', b'"version": 9,')


def other_ids(entries: dict[str, bytes]) -> None:
    name = "hypotheses/test.deu_Latn.jsonl"
    entries[name] = entries[name].replace(b"clip/0", b"clip/7")


WRONG: list[tuple[Callable[[dict[str, bytes]], Any], str]] = [
    (lambda entries: entries.update({"../evil.txt": b"x"}), "leads out of the zip"),
    (lambda entries: entries.update({"/etc/evil": b"x"}), "leads out of the zip"),
    (lambda entries: entries.update({"C:evil": b"x"}), "leads out of the zip"),
    (lambda entries: entries.pop("manifest.json"), "no bundle of a run"),
    (lambda entries: entries.update({"manifest.json": b"[" * 100_000}), "no bundle of a run"),
    (lambda entries: entries.pop("hypotheses/test.zho_Hans.jsonl"), "lacks hypotheses/test.zho_Hans.jsonl"),
    (
        lambda entries: entries.update({"hypotheses/test.zho_Hans.jsonl": b'{"id": "\\ud800"}\n'}),
        "expected a json object",
    ),
    (other_ids, "ids_hash differs"),
    (other_version, "version 9, newer"),
]


@pytest.mark.parametrize(("change", "complaint"), WRONG)
def test_an_altered_zip_is_refused(folder: Path, change: Callable[[dict[str, bytes]], None], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        read_bundle(altered(write_bundle(folder), change))


def test_a_torn_or_foreign_file_and_one_that_swells_are_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_bundle(folder)
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 5):
        path.write_bytes(whole[:size])
        with pytest.raises(UserError, match="cannot be read as a zip"):
            read_bundle(path)
    flipped = bytearray(whole)
    at = whole.index(b"hypotheses/test.deu_Latn.jsonl") + 60  # within the entry's own data
    flipped[at] ^= 0xFF
    path.write_bytes(bytes(flipped))
    with pytest.raises(UserError, match="cannot be read as a zip"):
        read_bundle(path)
    with pytest.raises(UserError, match="There is no bundle"):
        read_bundle(tmp_path / "absent.zip")
    path.write_bytes(whole)
    monkeypatch.setattr(bundle, "LARGEST", 1000)
    with pytest.raises(UserError, match="unpacks to more than"):
        read_bundle(path)
