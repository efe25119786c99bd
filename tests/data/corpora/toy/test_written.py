"""The toy world written out: true files of each layout, wrong only where that was planted, and read back as it was."""

from __future__ import annotations

import ast
import csv
import json
import os
import pickle
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from sonar_slt.data.corpora.csl_daily import CslDaily
from sonar_slt.data.corpora.how2sign import How2Sign
from sonar_slt.data.corpora.lsa_t import LsaT
from sonar_slt.data.corpora.phoenix14t import Phoenix14t
from sonar_slt.data.corpora.toy import written
from sonar_slt.data.corpora.toy.meaning import draw_split
from sonar_slt.data.corpora.toy.sentences import render
from sonar_slt.data.corpora.toy.signing import perform, signers
from sonar_slt.data.corpora.toy.written import (
    LANGUAGES,
    LAYOUTS,
    OPTIONS,
    RATES,
    TRAPS,
    WRITTEN,
    Planted,
    phoenix14t,
    write_release,
)
from sonar_slt.data.corpora.toy.written.drawing import picture
from sonar_slt.data.corpus import Corpus
from sonar_slt.data.faults import KINDS
from sonar_slt.data.layouts import OPENPOSE_137, SIGNING, convert
from sonar_slt.data.normalise import BySigner
from sonar_slt.data.preparation import Preparation
from sonar_slt.data.preparation.job import prepare
from sonar_slt.data.recording import Recording
from sonar_slt.data.release import Entry, Reading
from sonar_slt.errors import UserError

av = pytest.importorskip("av")

READERS: dict[str, Callable[..., Corpus]] = {
    "phoenix14t": Phoenix14t,
    "how2sign": How2Sign,
    "csl_daily": CslDaily,
    "lsa_t": LsaT,
}


class ShortWorld:
    """The toy world with two signers and eight to ten frames of each clip, where it moves."""

    def __init__(self, *, fps: float | None = None, train: int = 31, dev: int = 4, test: int = 4) -> None:
        self.fps, self.everyone = fps, signers(2, 0)
        sizes = {"train": train, "dev": dev, "test": test}
        self.meanings = [(split, meaning) for split, size in sizes.items() for meaning in draw_split(split, size, 0)]
        self.entries = [self._entry(number) for number in range(len(self.meanings))]
        self.recordings = {entry.id: self._recording(number) for number, entry in enumerate(self.entries)}

    def read(self) -> Reading:
        return Reading(entries=self.entries)

    def record(self, entry: Entry) -> Recording:
        return self.recordings[entry.id]

    def _entry(self, number: int) -> Entry:
        split, meaning = self.meanings[number]
        return Entry(
            id=f"{split}-{number:05d}-{meaning.key}",
            split=split,
            signer=f"signer{number % 2 + 1:02d}",
            texts={code: tuple(render(meaning, code)) for code in set(LANGUAGES.values())},
            where=f"clip {number}",
        )

    def _recording(self, number: int) -> Recording:
        performance = perform(self.meanings[number][1], signer=self.everyone[number % 2], seed=number, fps=self.fps)
        third = len(performance.points) // 3
        points = performance.points[third : third + 8 + number % 3]
        return Recording(points=points, layout=OPENPOSE_137, fps=performance.fps, size=(1280, 720))


WORLDS = {rate: ShortWorld(fps=rate) for rate in dict.fromkeys(RATES.values())}


@dataclass(frozen=True)
class Release:
    layout: str
    root: Path
    planted: Sequence[Planted]

    @property
    def world(self) -> ShortWorld:
        return WORLDS[RATES[self.layout]]

    @property
    def touched(self) -> set[str]:
        return {fault.id for fault in self.planted}

    def corpus(self, folder: Path) -> Corpus:
        preparation = Preparation(normalise=BySigner())
        return READERS[self.layout](root=self.root, folder=folder, preparation=preparation, **OPTIONS[self.layout])


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Release]:
    @cache
    def written_once(layout: str, *, trapped: bool = False) -> Release:
        root = tmp_path_factory.mktemp("release") / layout
        traps = tuple(TRAPS[layout]) if trapped else ()
        return Release(layout, root, write_release(layout, WORLDS[RATES[layout]], root, traps=traps))

    return written_once


def labels(world: ShortWorld, layout: str) -> dict[str, str]:
    return {entry.id: entry.texts[LANGUAGES[layout]][0] for entry in world.read().entries}


def digests(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): sha256(path.read_bytes()).hexdigest() for path in files}


# --- the files ----------------------------------------------------------------------------------------------------


def test_phoenix_has_numbered_pictures_and_unquoted_tables(release: Callable[..., Release]) -> None:
    made = release("phoenix14t")
    for entry in made.world.read().entries:
        folder = made.root / "features" / "fullFrame-210x260px" / entry.split / entry.id
        frames = len(made.world.record(entry))
        assert sorted(path.name for path in folder.iterdir()) == [f"images{n + 1:04d}.png" for n in range(frames)]
        with Image.open(folder / "images0001.png") as first:
            assert (first.size, first.mode) == ((210, 260), "RGB")
    table = (made.root / "annotations/manual/PHOENIX-2014-T.dev.corpus.csv").read_bytes()
    assert b"\r" not in table
    header, *rows = table.decode().removesuffix("\n").split("\n")
    assert header == "name|video|start|end|speaker|orth|translation"
    known = labels(made.world, "phoenix14t")
    for row in rows:
        name, video, start, end, speaker, _, text = row.split("|")
        assert (video, start, end, text) == (f"{name}/1/*.png", "-1", "-1", known[name])
        assert speaker in ("Signer01", "Signer02")


def test_how2sign_has_spans_of_videos_and_the_points_of_openpose(release: Callable[..., Release]) -> None:
    made = release("how2sign")
    world, spans = made.world, {}
    for split in ("train", "val", "test"):
        folder = made.root / "sentence_level" / split
        table = folder / "text/en/raw_text/re_aligned" / f"how2sign_realigned_{split}.csv"
        assert table.read_bytes().count(b"\r\n") == table.read_bytes().count(b"\n")
        with table.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
        for row in rows:
            assert len(row["VIDEO_ID"]) == 11
            assert row["VIDEO_NAME"].startswith(row["VIDEO_ID"])
            assert row["VIDEO_NAME"].endswith("-rgb_front")
            video = made.root / "video_level" / split / "rgb_front/raw_videos" / f"{row['VIDEO_NAME']}.mp4"
            spans[row["SENTENCE_NAME"]] = (video, float(row["START_REALIGNED"]), float(row["END_REALIGNED"]))
        assert {row["SENTENCE_NAME"]: row["SENTENCE"] for row in rows}.items() <= labels(world, "how2sign").items()
    starts = {path.name[0] for path, _, _ in spans.values()}
    assert {"-", "_"} <= starts
    assert len({path for path, _, _ in spans.values()}) < len(spans) / 2
    for entry in world.read().entries:
        points = made.root / "sentence_level" / {"dev": "val"}.get(entry.split, entry.split)
        files = sorted((points / "rgb_front/features/openpose_output/json" / entry.id).iterdir())
        assert [file.name for file in files[:2]] == [f"{entry.id}_{n:012d}_keypoints.json" for n in range(2)]
        assert np.array_equal([openpose(file) for file in files], world.record(entry).points)
        shows(world, entry, *spans[entry.id])


def openpose(file: Path) -> np.ndarray[Any, Any]:
    told = json.loads(file.read_text())
    assert told["version"] == 1.3
    (person,) = told["people"]
    assert all(person[f"{part}_3d"] == [] for part in ("pose_keypoints", "face_keypoints", "hand_left_keypoints"))
    order = ("pose_keypoints_2d", "face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d")
    return np.array([number for part in order for number in person[part]], np.float32).reshape(137, 3)


@cache
def decoded(video: Path) -> tuple[float, np.ndarray[Any, Any]]:
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        frames = [frame.reformat(320, 180).to_ndarray(format="rgb24") for frame in container.decode(stream)]
        return float(stream.average_rate), np.stack(frames).astype(np.int16)


def shows(world: ShortWorld, entry: Entry, video: Path, start: float, end: float) -> None:
    """The span holds as many frames as the clip; its first and last show the clip's, and there is a gap before."""
    fps, frames = decoded(video)
    recording = world.record(entry)
    first, behind = round(start * fps), round(end * fps)
    assert (fps, behind - first) == (recording.fps, len(recording))
    assert 5 <= first < behind <= len(frames) - 5
    for number, points in ((first, recording.points[0]), (behind - 1, recording.points[-1])):
        drawn = np.asarray(picture(points, (1280, 720), int(entry.signer[-1])).resize((320, 180)), np.int16)
        assert np.abs(frames[number] - drawn).mean() < 4


def test_csl_has_a_plain_pickle_and_lists(release: Callable[..., Release]) -> None:
    made = release("csl_daily")
    told = pickle.loads((made.root / "sentence_label/csl2020ct_v2.pkl").read_bytes())
    known = labels(made.world, "csl_daily")
    assert {row["name"]: "".join(row["label_char"]) for row in told["info"]} == known
    for row in told["info"]:
        pictures = sorted((made.root / "sentence/frames_512x512" / row["name"]).iterdir())
        assert [path.name for path in pictures] == [f"{n:06d}.jpg" for n in range(row["length"])]
        with Image.open(pictures[0]) as first:
            assert (first.size, first.format) == ((512, 512), "JPEG")
        assert {type(value) for value in row.values()} == {str, int, list}
        assert [told["word_map"][word] for word in row["label_word"]]
    splits = (made.root / "sentence_label/split_1.txt").read_text().splitlines()
    assert splits[0] == "name|split"
    assert dict(line.split("|") for line in splits[1:]) == {
        entry.id: entry.split for entry in made.world.read().entries
    }
    header, *rows = (made.root / "sentence_label/video_map.txt").read_text().splitlines()
    assert header == "index|name|length|gloss|char|word|postag"
    assert {row.split("|")[1]: row.split("|")[5] for row in rows} == known


def test_lsa_has_semicolons_and_a_list_of_pieces(release: Callable[..., Release]) -> None:
    made = release("lsa_t")
    known = labels(made.world, "lsa_t")
    with (made.root / "meta.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter=";"))
    assert {row["id"]: row["text"] for row in rows} == known
    entries = {entry.id: entry for entry in made.world.read().entries}
    for row in rows[::4]:
        pieces = ast.literal_eval(row["split"])
        start, end = float(row["start"]), float(row["end"])
        assert (pieces[0][1], pieces[-1][2]) == (start, end)
        assert "".join(text for text, _, _ in pieces).replace(" ", "") == row["text"].replace(" ", "")
        video = made.root / "videos" / f"{row['video']}.mp4"
        recording = made.world.record(entries[row["id"]])
        assert round(end * recording.fps) - round(start * recording.fps) == len(recording)
        assert video.is_file()


# --- traps --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_trap_plants_one_fault_of_its_own(layout: str, release: Callable[..., Release]) -> None:
    made = release(layout, trapped=True)
    assert [fault.trap for fault in made.planted] == list(TRAPS[layout])
    assert {fault.kind for fault in made.planted} <= {"", *KINDS}
    clips = [fault.id for fault in made.planted if not fault.id.endswith(".csv")]
    assert len(set(clips)) == len(clips)
    told = json.loads((made.root / WRITTEN).read_text())
    assert told["planted"] == [{"id": fault.id, "kind": fault.kind, "trap": fault.trap} for fault in made.planted]


def test_traps_are_chosen_one_by_one_and_only_known_ones(tmp_path: Path) -> None:
    world = WORLDS[25.0]
    (planted,) = write_release("phoenix14t", world, tmp_path / "a", traps=["missing_frame"])
    assert (planted.kind, planted.trap) == ("missing_frame", "missing_frame")
    clean = write_release("phoenix14t", world, tmp_path / "b")
    assert clean == []
    a, b = digests(tmp_path / "a"), digests(tmp_path / "b")
    (gone,) = set(b) - set(a)
    assert planted.id in gone
    assert {name for name in a if a[name] != b[name]} == {WRITTEN}
    with pytest.raises(UserError, match=r"no trap 'nothing'.*missing_frame"):
        write_release("phoenix14t", world, tmp_path / "c", traps=["nothing"])
    with pytest.raises(UserError, match="too small"):
        write_release("phoenix14t", ShortWorld(fps=25.0, train=3), tmp_path / "c", traps=list(TRAPS["phoenix14t"]))
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_world_gives_the_same_bytes(layout: str, tmp_path: Path) -> None:
    world = ShortWorld(fps=RATES[layout], train=4, dev=1, test=1)
    traps = [
        name for name in TRAPS[layout] if name in ("quotes", "truncated_picture", "several_people", "damaged_numbers")
    ]
    for name in ("a", "b"):
        write_release(layout, world, tmp_path / name, traps=traps)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


# --- whole or not at all ------------------------------------------------------------------------------------------


def test_nothing_remains_of_a_release_that_was_not_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = ShortWorld(fps=25.0, train=3, dev=1, test=1)
    write_release("phoenix14t", small, tmp_path / "a")
    before = digests(tmp_path)
    for error, told in ((KeyboardInterrupt(), KeyboardInterrupt), (OSError(28, "No space left on device"), UserError)):

        def broken(*_: Any, error: BaseException = error) -> None:
            raise error

        monkeypatch.setattr(phoenix14t, "_row", broken)
        with pytest.raises(told):
            write_release("phoenix14t", small, tmp_path / "a")
        assert digests(tmp_path) == before
    monkeypatch.undo()
    write_release("phoenix14t", small, tmp_path / "a")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.lock", "a"]


def test_what_a_killed_writing_left_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = ShortWorld(fps=25.0, train=1, dev=1, test=1)
    pid = os.fork()
    if not pid:
        monkeypatch.setattr(phoenix14t, "_row", lambda _: os._exit(9))
        write_release("phoenix14t", small, tmp_path / "a", shown=False)
    os.waitpid(pid, 0)
    assert not (tmp_path / "a").exists() and len(list(tmp_path.iterdir())) == 2
    write_release("phoenix14t", small, tmp_path / "a")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.lock", "a"]


def test_the_folder_that_one_stands_in_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    write_release("phoenix14t", ShortWorld(fps=25.0, train=1, dev=1, test=1), Path("."))
    assert (tmp_path / "a" / WRITTEN).is_file()


def test_two_do_not_write_one_folder(tmp_path: Path) -> None:
    with FileLock(tmp_path / ".a.lock"), pytest.raises(UserError, match="Another process is writing"):
        write_release("phoenix14t", ShortWorld(fps=25.0, train=1, dev=1, test=1), tmp_path / "a")


def test_only_what_was_written_here_is_written_over(tmp_path: Path) -> None:
    small = ShortWorld(fps=25.0, train=1, dev=1, test=1)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious").write_text("x")
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    for name in ("mine", "file"):
        with pytest.raises(UserError, match=name):
            write_release("phoenix14t", small, tmp_path / name)
    assert (tmp_path / "mine" / "precious").read_text() == (tmp_path / "file").read_text() == "x"
    write_release("phoenix14t", small, tmp_path / "empty")
    assert (tmp_path / "empty" / WRITTEN).is_file()


def test_a_layout_of_one_frame_rate_takes_no_other(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"csl_daily has 30 frames.*data\.fps=30"):
        write_release("csl_daily", WORLDS[25.0], tmp_path / "a")
    with pytest.raises(UserError, match=r"write_as=bobsl.*phoenix14t"):
        write_release("bobsl", WORLDS[25.0], tmp_path / "a")


def test_writers_share_no_code_with_readers() -> None:
    folder = Path(str(written.__file__)).parent
    allowed = ("sonar_slt.data.corpora.toy", "sonar_slt.errors", "sonar_slt.progress", "sonar_slt.files")
    terms = ("sonar_slt.data.recording", "sonar_slt.data.release")
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("sonar_slt"):
                assert str(node.module).startswith((*allowed, *terms)), (path.name, node.module)


# --- read back ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
def test_read_back_it_is_the_world_itself(layout: str, release: Callable[..., Release], tmp_path: Path) -> None:
    made = release(layout)
    corpus = made.corpus(tmp_path)
    prepare(corpus, shown=False)
    assert (corpus.prepared / "faults.jsonl").read_text() == ""
    rows = {row.id: row for row in corpus.rows}
    entries = made.world.read().entries
    assert list(rows) == [entry.id for entry in entries]
    found = {entry.id: entry for entry in corpus.read().entries}
    for entry in entries:
        row, recording, read = rows[entry.id], made.world.record(entry), found[entry.id]
        assert (row.split, row.frames, row.fps) == (entry.split, len(recording), recording.fps)
        assert {code: tuple(said) for code, said in row.texts.items()} == {
            LANGUAGES[layout]: entry.texts[LANGUAGES[layout]][:1]
        }
        if read.pictures is not None and read.pictures.span is not None:
            first, behind = read.pictures.span.frames(recording.fps or 0.0)
            assert behind - first == len(recording)
        if read.pose is not None:
            points = corpus.record(read)
            assert points is not None
            assert points.layout.name == "openpose_137"
            assert np.array_equal(points.points, recording.points)
            stored = BySigner()(convert(recording.points, OPENPOSE_137, SIGNING), SIGNING)
            assert np.array_equal(corpus.clips[entry.id], stored.astype(np.float16))
    assert layout != "how2sign" or all(entry.pose is not None for entry in found.values())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_with_all_traps_exactly_the_planted_faults_are_told(
    layout: str, release: Callable[..., Release], tmp_path: Path
) -> None:
    made = release(layout, trapped=True)
    corpus = made.corpus(tmp_path)
    prepare(corpus, shown=False)
    lines = (corpus.prepared / "faults.jsonl").read_text().splitlines()
    told = Counter((fault["id"], fault["kind"]) for fault in map(json.loads, lines))
    assert told == Counter((fault.id, fault.kind) for fault in made.planted if fault.kind)
    # what no trap touched, and what only looks odd, is what it was
    rows, known = {row.id: row for row in corpus.rows}, labels(made.world, layout)
    assert all(rows[id].texts[LANGUAGES[layout]][0] == known[id] for id in (known.keys() - made.touched) & rows.keys())
    quoted = next(fault.id for fault in made.planted if fault.trap == "quotes")
    assert rows[quoted].texts[LANGUAGES[layout]][0] == f'"{known[quoted]}", so'
    renamed = sum(fault.id not in known for fault in made.planted)  # no other clip may be lost
    assert len(known.keys() - made.touched - rows.keys()) <= renamed


@pytest.mark.parametrize("layout", LAYOUTS)
def test_variants_of_files_are_noted(layout: str, release: Callable[..., Release], tmp_path: Path) -> None:
    made = release(layout, trapped=True)
    notes = made.corpus(tmp_path).read().notes
    for fault in made.planted:
        if fault.kind == "" and fault.id.endswith(".csv"):
            assert any(note.startswith(fault.id) for note in notes), fault
