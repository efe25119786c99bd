"""One clip: what is measured, converted and stored of it, and each fault that it may bear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonar_slt.data.corpus import Corpus
from sonar_slt.data.faults import Fault
from sonar_slt.data.layout import Layout
from sonar_slt.data.layouts import OPENPOSE_137, SIGNING, convert
from sonar_slt.data.media import Footage
from sonar_slt.data.normalise import BySigner
from sonar_slt.data.preparation import clip as module
from sonar_slt.data.preparation.clip import Prepared, prepare_clip
from sonar_slt.data.preparation.seen import confidence, motion
from sonar_slt.data.recording import Recording
from sonar_slt.data.release import Entry, Media, Span
from sonar_slt.data.unreadable import Unreadable
from sonar_slt.errors import UserError
from tests.data.preparation.tiny import TinyCorpus, entries, faint, none, recorded, short, slower, still, unseen

Changed = Callable[[Recording], Recording]


@pytest.fixture
def entry() -> Entry:
    return entries()[0]


def prepared(
    tmp_path: Path, entry: Entry, *changes: Changed, layout: str | None = "signing", **options: Any
) -> Prepared:
    def changed(recording: Recording) -> Recording:
        for change in changes:
            recording = change(recording)
        return recording

    return prepare_clip(TinyCorpus(folder=tmp_path, changed={entry.id: changed}, **options), entry, layout=layout)


def told(found: Prepared) -> list[str]:
    assert all((fault.id, fault.split) == ("train-0", "train") for fault in found.faults)
    return [fault.kind for fault in found.faults]


def filmed(monkeypatch: pytest.MonkeyPatch, footage: Footage | Exception) -> None:
    def measured(media: Media, *, pattern: str, fps: float | None) -> Footage:
        if isinstance(footage, Exception):
            raise footage
        return footage

    monkeypatch.setattr(module, "measure", measured)


def footage(**changes: Any) -> Footage:
    return Footage(**{"frames": 60, "fps": 25.0, "size": (210, 260), "content": "c0ffee", **changes})


class ReadCorpus(TinyCorpus):
    """Its clips are read from their files."""

    def record(self, entry: Entry, *, size: tuple[int, int] | None = None) -> Recording | None:
        return Corpus.record(self, entry, size=size)


class TestGood:
    def test_points_are_brought_to_the_layout_normalised_and_cast(self, tmp_path: Path, entry: Entry) -> None:
        found = prepared(tmp_path, entry)
        expected = BySigner()(convert(recorded(sum(entry.id.encode())).points, OPENPOSE_137, SIGNING), SIGNING)
        assert told(found) == [] and found.points is not None and found.points.dtype == np.float16
        np.testing.assert_array_equal(found.points, expected.astype(np.float16))

    def test_the_row_says_where_it_came_from(self, tmp_path: Path, entry: Entry) -> None:
        row = prepared(tmp_path, replace(entry, gloss="REGEN", tags=("x",))).row
        assert row is not None and (row.id, row.corpus, row.split, row.sign_language) == (
            *("train-0", "tiny", "train", "gsg"),
        )
        assert (row.frames, row.fps, row.signer, row.gloss, row.tags) == (60, 25.0, "signer0", "REGEN", ("x",))
        assert (row.source, row.span, row.pose) == (None, None, "/nowhere/poses/train-0.npz")
        assert row.texts == {"deu_Latn": ("Satz 0 aus train.",), "eng_Latn": ("Sentence 0 of train.",)}

    def test_a_path_inside_the_release_is_told_from_its_root(self, tmp_path: Path, entry: Entry) -> None:
        corpus = TinyCorpus(folder=tmp_path)
        corpus.root = Path("/nowhere")
        row = prepare_clip(corpus, entry, layout="signing").row
        assert row is not None and row.pose == "poses/train-0.npz"

    def test_the_content_is_the_points_whatever_is_stored_of_them(self, tmp_path: Path, entry: Entry) -> None:
        rows = [
            prepared(tmp_path, entry).row,
            prepared(tmp_path, entry, precision="float32", normalise=None, layout="openpose_137").row,
            prepared(tmp_path, entry, short).row,
        ]
        contents = [row.content for row in rows if row is not None]
        assert contents[0] == contents[1] != contents[2] and len(contents[0]) == 32

    def test_pictures_alone_are_measured(self, tmp_path: Path, entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
        filmed(monkeypatch, footage(frames=48))
        alone = replace(entry, pose=None, pictures=Media("video", Path("/nowhere/a.mp4"), Span(1, 3)))
        found = prepared(tmp_path, alone, layout=None)
        assert told(found) == [] and found.points is None and found.row is not None
        assert (found.row.frames, found.row.span, found.row.content) == (48, (1.0, 3.0), "c0ffee")

    def test_blank_sentences_are_nothing(self, tmp_path: Path, entry: Entry) -> None:
        row = prepared(tmp_path, replace(entry, texts={"deu_Latn": ("Ja.", " "), "eng_Latn": ("",)})).row
        assert row is not None and row.texts == {"deu_Latn": ("Ja.",)}


class TestFaults:
    @pytest.mark.parametrize(
        ("change", "kinds"),
        [
            (still, ["static_clip"]),
            (faint, ["low_confidence"]),
            (unseen, ["empty_clip"]),
            (none, ["empty_clip"]),
            (slower, ["wrong_fps"]),
        ],
    )
    def test_each_is_found_alone(self, tmp_path: Path, entry: Entry, change: Changed, kinds: list[str]) -> None:
        found = prepared(tmp_path, entry, change)
        assert told(found) == kinds
        assert (found.row is None) == (found.points is None) == (kinds == ["empty_clip"])

    def test_a_file_that_is_cut_short(self, tmp_path: Path, entry: Entry) -> None:
        found = prepared(tmp_path, entry, broken=[entry.id])
        assert told(found) == ["unreadable"] and found.row is None
        assert found.faults[0].told == "'train-0.npz' is cut short"

    def test_faults_of_the_recording_get_the_clips_id(self, tmp_path: Path, entry: Entry) -> None:
        fault = Fault(id="", kind="several_people", told="two people in 3 frames")
        assert told(prepared(tmp_path, entry, lambda made: replace(made, faults=[fault]))) == ["several_people"]

    @pytest.mark.parametrize(
        ("frames", "kinds"), [(59, []), (61, []), (58, ["length_differs"]), (90, ["length_differs"])]
    )
    def test_another_length_than_the_labels_say(
        self, tmp_path: Path, entry: Entry, frames: int, kinds: list[str]
    ) -> None:
        assert told(prepared(tmp_path, replace(entry, frames=frames))) == kinds
        assert told(prepared(tmp_path, replace(entry, frames=frames), frame_tolerance=30)) == []

    def test_points_of_another_length_than_the_pictures(
        self, tmp_path: Path, entry: Entry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        filmed(monkeypatch, footage(frames=80))
        both = replace(entry, pictures=Media("video", Path("/nowhere/a.mp4")))
        found = prepared(tmp_path, both)
        assert told(found) == ["length_differs"] and found.faults[0].told == "pictures 80, points 60 frames"
        assert found.row is not None and (found.row.frames, found.row.source) == (60, "/nowhere/a.mp4")

    @pytest.mark.parametrize(("fps", "kinds"), [(25.0, []), (24.9, []), (24.0, ["wrong_fps"]), (50.0, ["wrong_fps"])])
    def test_a_video_at_another_rate(
        self, tmp_path: Path, entry: Entry, monkeypatch: pytest.MonkeyPatch, fps: float, kinds: list[str]
    ) -> None:
        filmed(monkeypatch, footage(fps=fps))
        assert told(prepared(tmp_path, replace(entry, pictures=Media("video", Path("/nowhere/a.mp4"))))) == kinds

    def test_one_span_beyond_is_told_once(self, tmp_path: Path, entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
        beyond = Fault(id="", kind="span_beyond", told="ends too late", done="cut")
        filmed(monkeypatch, footage(faults=[beyond]))

        def cut(recording: Recording) -> Recording:
            return replace(recording, faults=[replace(beyond, told="points"), replace(beyond, kind="several_people")])

        both = replace(
            entry,
            pictures=Media("video", Path("/nowhere/a.mp4"), Span(1, 4)),
            pose=Media("pose", Path("/nowhere/a.npz"), Span(1, 4)),
        )
        found = prepared(tmp_path, both, cut)
        assert told(found) == ["span_beyond", "several_people"] and found.faults[0].told == "ends too late"
        other = replace(both, pose=Media("pose", Path("/nowhere/a.npz"), Span(0, 3)))
        assert told(prepared(tmp_path, other, cut)) == ["span_beyond", "span_beyond", "several_people"]
        filmed(monkeypatch, footage())
        assert told(prepared(tmp_path, both, cut)) == ["span_beyond", "several_people"]

    def test_fractions_are_of_the_size_of_the_pictures(
        self, tmp_path: Path, entry: Entry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = recorded(0)
        pixels, fractions = tmp_path / "pixels.npy", tmp_path / "fractions.npy"
        np.save(pixels, made.points)
        np.save(fractions, made.points / np.array([1280, 720, 1], np.float32))
        points = []
        for path, filming in ((pixels, True), (fractions, True), (fractions, False)):
            filmed(monkeypatch, footage(size=(1280, 720) if filming else None))
            read = replace(entry, pose=Media("pose", path), pictures=Media("video", Path("/nowhere/a.mp4")))
            found = prepare_clip(ReadCorpus(folder=tmp_path), read, layout="signing")
            assert told(found) == ([] if filming else ["bad_coordinate"])
            points.append(found.points)
        np.testing.assert_allclose(points[1], points[0], atol=2e-3)
        assert np.abs(points[2] - points[0]).max() > 0.1

    def test_pictures_that_cannot_be_read_do_not_cost_the_points(
        self, tmp_path: Path, entry: Entry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        filmed(monkeypatch, Unreadable("'a.mp4' is empty."))
        found = prepared(tmp_path, replace(entry, pictures=Media("video", Path("/nowhere/a.mp4"))))
        assert told(found) == ["unreadable"] and found.row is not None and found.points is not None

    def test_no_picture(self, tmp_path: Path, entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
        filmed(monkeypatch, footage(frames=0, fps=None))
        alone = replace(entry, pose=None, pictures=Media("frames", Path("/nowhere/a")), frames=60)
        found = prepared(tmp_path, alone, layout=None)
        assert told(found) == ["empty_clip"] and found.row is None

    def test_points_too_far_out_for_the_precision_are_missing(self, tmp_path: Path, entry: Entry) -> None:
        class Wild(BySigner):
            def __call__(self, points: Any, layout: Layout) -> Any:
                made = super().__call__(points, layout)
                made[3, 7, 0] = 1e6
                return made

        found = prepared(tmp_path, entry, normalise=Wild())
        assert [(fault.kind, fault.done) for fault in found.faults] == [("bad_coordinate", "cut")]
        assert found.points is not None and not found.points[3, 7].any() and np.isfinite(found.points).all()


class TestErrors:
    @pytest.mark.parametrize(
        ("raised", "expected", "says"),
        [
            (UserError("which layout?"), UserError, "Clip train-0: which layout?"),
            (PermissionError(13, "Permission denied", "a.npz"), UserError, "Clip train-0: 'a.npz' cannot be read"),
            (ZeroDivisionError("by zero"), RuntimeError, "clip train-0 .*line 2 of 'train.csv'.*ZeroDivisionError"),
        ],
    )
    def test_whatever_goes_wrong_is_said_of_the_clip(
        self, tmp_path: Path, entry: Entry, raised: Exception, expected: type[Exception], says: str
    ) -> None:
        def fails(recording: Recording) -> Recording:
            raise raised

        with pytest.raises(expected, match=says):
            prepared(tmp_path, entry, fails)

    def test_clips_of_two_layouts_need_a_common_one(self, tmp_path: Path, entry: Entry) -> None:
        corpus = TinyCorpus(folder=tmp_path, layout=None)
        with pytest.raises(UserError, match=r"Clip train-0: .*openpose_137, .*coco_133: .*preparation\.layout=signing"):
            prepare_clip(corpus, entry, layout="coco_133")


class TestSeen:
    def test_motion_has_no_unit_and_is_not_fooled_by_one_point(self) -> None:
        made = recorded(0)
        moved = motion(made.points, OPENPOSE_137)
        assert moved is not None and moved > 0.1
        larger = made.points * np.array([3, 3, 1], np.float32)
        assert motion(larger, OPENPOSE_137) == pytest.approx(moved, rel=1e-5)
        jumping = still(made).points.copy()
        jumping[::2, 120, :2] += 300
        assert motion(jumping, OPENPOSE_137) == 0.0

    def test_motion_of_one_frame_cannot_be_told(self) -> None:
        assert motion(recorded(0).points[:1], OPENPOSE_137) is None
        assert motion(np.zeros((5, 137, 3), np.float32), OPENPOSE_137) is None

    def test_confidence_counts_missing_points_and_no_legs(self) -> None:
        points = np.ones((4, 137, 3), np.float32)
        points[:, [9, 10, 11, 12, 13, 14, *range(19, 25)], 2] = 0
        assert confidence(points, OPENPOSE_137) == 1.0
        points[:2, :, 2] = 0
        assert confidence(points, OPENPOSE_137) == 0.5
