"""A moving skeleton, packed for a page, comes back to the last bit; a film strip has all frames in their order."""

import base64
import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sonar_slt.data.filmstrip import ACROSS, SIDE, filmstrip
from sonar_slt.data.skeleton import CODING, FPS, HALF, LOWER, MISSING, moving, places_of


def signing(frames: int = 40, points: int = 102) -> np.ndarray:
    """Points (frames, points, 3) that go about, some missing and some outside of what is shown."""
    chance = np.random.default_rng(0)
    clip = np.ones((frames, points, 3), np.float32)
    clip[..., :2] = np.cumsum(0.2 * chance.standard_normal((frames, points, 2)), axis=0)
    clip[chance.random((frames, points)) < 0.1, 2] = 0
    return clip


def test_places_come_back_and_missing_points_stay_missing() -> None:
    clip = signing()
    packed = moving(clip, FPS)
    places = places_of(packed)
    shown = (clip[..., :2] - [0, LOWER] + HALF) / (2 * HALF)
    there = (clip[..., 2] > 0) & (shown >= 0).all(-1) & (shown <= 1).all(-1)
    assert packed["coding"] == CODING and places.shape == (40, 102, 2) and 0 < there.mean() < 1
    assert (places[~there] == MISSING).all() and (places[there] < MISSING).all()
    assert np.abs(places[there] / 254 - shown[there]).max() <= 0.5 / 254 + 1e-6


def test_packing_halves_what_hardly_moves() -> None:
    still = signing()
    still[..., :2] = still[:1, :, :2] + 0.002 * np.arange(40)[:, None, None]
    assert len(moving(still, FPS)["data"]) < places_of(moving(still, FPS)).size / 2


def test_older_skeletons_are_read_as_they_are() -> None:
    places = np.arange(12, dtype=np.uint8)
    old = {"frames": 2, "points": 3, "data": base64.b64encode(places.tobytes()).decode()}
    assert (places_of(old).ravel() == places).all()
    with pytest.raises(zlib.error):
        places_of({**old, "coding": CODING})


def test_frames_are_thinned_to_the_rate_of_a_page() -> None:
    packed = moving(signing(100), 25.0)
    assert packed["frames"] == 50 and packed["fps"] == FPS
    assert (places_of(packed)[-1] == places_of(moving(signing(100)[-1:], None))[-1]).all()


def test_a_film_strip_holds_its_frames_row_by_row() -> None:
    frames = [np.full((120, 160, 3), 10 * i, np.uint8) for i in range(20)]
    strip = filmstrip(frames, 10.0, rate=10.0)
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(strip["data"]))))
    assert (strip["width"], strip["height"], strip["frames"]) == (SIDE, SIDE * 3 // 4, 20)
    assert picture.shape == (2 * strip["height"], ACROSS * strip["width"], 3)
    for i in (0, 7, 19):
        x, y = (i % ACROSS) * strip["width"] + SIDE // 2, (i // ACROSS) * strip["height"] + SIDE // 3
        assert abs(int(picture[y, x, 0]) - 10 * i) <= 6


def test_a_film_strip_is_thinned_too() -> None:
    strip = filmstrip([np.zeros((8, 8, 3), np.uint8)] * 100, 50.0, rate=FPS)
    assert strip["frames"] == 25 and strip["fps"] == FPS and (strip["width"], strip["height"]) == (8, 8)


def test_stored_pictures_of_a_corpus_become_strips(tmp_path: Path) -> None:
    from sonar_slt.data.skeleton import skeletons
    from sonar_slt.data.sources import Features
    from sonar_slt.data.view import All

    class Stored(Features):
        """Half of the frames of every clip."""

        def __init__(self) -> None: ...

        def of(self, row: int, id: str) -> np.ndarray:
            return np.full((10, 3, 16, 16), 200, np.uint8)

    class Named:
        """No more of a corpus, its rows and its clips than is read here."""

        def __init__(self, **known: Any) -> None:
            self.__dict__.update(known)

    seen = Named(sources={"pictures": Stored()}, view=All())
    data: Any = Named(corpus=Named(homes={"": tmp_path}), seen=seen)
    rows: Any = [Named(id="a", frames=20, fps=25.0)]
    found = skeletons(data, rows)["clips"]["a"]
    assert found["kind"] == "film" and found["frames"] == 10 and found["fps"] == FPS
    seen.view = object()
    assert skeletons(data, rows) == {}
