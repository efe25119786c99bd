"""A folder's pictures come out as RGB, by number and span; what is broken is replaced by the one before, and told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sonar_slt.data.media import Reel, decoded
from sonar_slt.data.media.reel import Picture
from sonar_slt.data.release import Media, Span
from sonar_slt.data.unreadable import Unreadable


def drawn(number: int, size: tuple[int, int] = (96, 48)) -> Picture:
    """Noise below a line that tells the number."""
    picture = np.random.default_rng(number).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    picture[:8] = number
    return picture


def numbers(reel: Reel) -> list[int]:
    return [int(picture[2, 2, 0]) for picture in reel]


def kinds(reel: Reel) -> list[str]:
    return [fault.kind for fault in reel.faults]


def save(path: Path, picture: Picture, change: Callable[..., Any] = lambda stored: stored) -> Path:
    path.parent.mkdir(exist_ok=True)
    change(Image.fromarray(picture)).save(path)
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    for count in range(20):
        save(tmp_path / "clip" / f"images{count + 1:04d}.png", drawn(count))
    return tmp_path / "clip"


def folder(path: Path, span: Span | None = None, **how: Any) -> Reel:
    return decoded(Media("frames", path, span), pattern="images*", fps=25.0, **how)


def test_pictures_of_a_folder_by_number_and_span(clip: Path) -> None:
    assert numbers(folder(clip)) == [*range(20)]
    assert numbers(folder(clip, Span(0.2, 0.5), step=3)) == [5, 8, 11]
    assert all(np.array_equal(picture, drawn(at)) for at, picture in enumerate(folder(clip)))
    (clip / "images0005.png").unlink()
    lacking = folder(clip)
    assert (numbers(lacking), kinds(lacking)) == ([*range(4), *range(5, 20)], ["missing_frame"])
    beyond = folder(clip, Span(0.7, 2.0))
    assert (numbers(beyond), kinds(beyond)) == ([19], ["missing_frame", "span_beyond"])


def test_broken_pictures_are_replaced_and_counted_once(clip: Path) -> None:
    whole = (clip / "images0003.png").read_bytes()
    (clip / "images0001.png").write_bytes(b"")
    (clip / "images0007.png").write_bytes(whole[:-30])
    (clip / "images0008.png").write_bytes(whole[: len(whole) // 2] + bytes(50) + whole[len(whole) // 2 + 50 :])
    found = folder(clip)
    assert numbers(found) == [1, 1, 2, 3, 4, 5, 5, 5, *range(8, 20)]
    assert kinds(found) == ["broken_frame"]
    assert "3 of 20 frames of 'clip'" in found.faults[0].told
    for count in range(9, 17):
        (clip / f"images{count:04d}.png").write_bytes(whole[:100])
    with pytest.raises(Unreadable, match=r"'clip' .*more than half of its 20"):
        numbers(folder(clip))


def test_pictures_of_every_kind_are_rgb(tmp_path: Path) -> None:
    stored = drawn(5)
    grey = np.asarray(Image.fromarray(stored).convert("L"))
    wide = Image.fromarray(grey.astype(np.uint16) << 8)
    changes: dict[str, tuple[Callable[..., Any], Picture]] = {
        "L.png": (lambda it: it.convert("L"), np.repeat(grey[..., None], 3, 2)),
        "LA.png": (lambda it: it.convert("LA"), np.repeat(grey[..., None], 3, 2)),
        "wide.png": (lambda it: wide, np.repeat(grey[..., None], 3, 2)),
        "RGBA.png": (lambda it: it.convert("RGBA"), stored),
    }
    for name, (change, said) in changes.items():
        (picture,) = decoded(Media("frames", save(tmp_path / name[:-4] / name, stored, change=change).parent))
        assert np.array_equal(picture, said), name
    flat = Image.new("P", (96, 48))
    flat.putpalette([10, 200, 30, *[0] * 765])
    flat.info["transparency"] = b"\x80" * 256
    save(tmp_path / "P" / "1.png", stored, change=lambda it: flat)
    (picture,) = decoded(Media("frames", tmp_path / "P"))
    assert (picture == (10, 200, 30)).all()
    for mode in ("1", "CMYK"):
        file = tmp_path / mode / ("1.jpg" if mode == "CMYK" else "1.png")
        save(file, stored, change=lambda it, mode=mode: it.convert(mode))
        assert [picture.shape for picture in decoded(Media("frames", file.parent))] == [(48, 96, 3)]


def test_a_picture_of_another_size_is_brought_to_the_usual_one(clip: Path) -> None:
    save(clip / "images0003.png", drawn(2, (192, 96)))
    found = folder(clip)
    assert {picture.shape for picture in found} == {(48, 96, 3)}
    assert kinds(found) == ["stray_file"]


def test_a_decompression_bomb_is_not_opened(clip: Path) -> None:
    whole = bytearray((clip / "images0001.png").read_bytes())
    whole[16:24] = (30000).to_bytes(4, "big") * 2
    (clip / "images0004.png").write_bytes(whole)
    found = folder(clip)
    assert (numbers(found)[3], kinds(found)) == (2, ["broken_frame"])
    for file in clip.iterdir():
        file.write_bytes(whole)
    with pytest.raises(Unreadable, match=r"30000 x 30000"):
        folder(clip)


def test_poses_have_no_pictures_and_steps_go_forward(clip: Path) -> None:
    with pytest.raises(ValueError, match="poses"):
        decoded(Media("pose", clip))
    with pytest.raises(ValueError, match="step is 0"):
        folder(clip, step=0)
    (clip.parent / "empty").mkdir()
    assert list(folder(clip.parent / "empty")) == []
