"""Pictures as backbones want them: the same as the processors of timm and transformers make them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image
from timm.data import create_transform
from transformers import CLIPImageProcessor, VideoMAEImageProcessor

from sonar_slt.errors import UserError
from sonar_slt.features import Picture
from tests.features.tiny import photograph

SIZES = [(260, 210), (256, 256), (720, 1280), (97, 411), (100, 60)]


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize(("mode", "fit"), [("center", "crop"), ("squash", "squeeze")])
def test_it_is_timms_picture_to_the_bit(shape: tuple[int, int], mode: str, fit: Any) -> None:
    picture = photograph(*shape)
    transform = create_transform(
        (3, 224, 224), interpolation="bicubic", crop_pct=0.9, crop_mode=mode, mean=(0, 0, 0), std=(1, 1, 1)
    )
    theirs = (transform(Image.fromarray(picture)) * 255).round().byte().numpy()
    share = 0.9 if fit == "crop" else 1.0
    if fit == "squeeze":
        transform.transforms[0].size = (224, 224)  # timm enlarges what it squeezes, and cuts
        theirs = (transform(Image.fromarray(picture)) * 255).round().byte().numpy()
    assert (Picture(size=224, fit=fit, share=share)(picture) == theirs).all()


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize(
    ("processor", "interpolation", "key"),
    [
        (CLIPImageProcessor(crop_size=224, do_normalize=False), "bicubic", "pixel_values"),
        (VideoMAEImageProcessor(do_normalize=False), "bilinear", "pixel_values"),
    ],
    ids=["clip", "videomae"],
)
def test_it_is_transformers_picture_within_rounding(
    shape: tuple[int, int], processor: Any, interpolation: Any, key: str
) -> None:
    picture = photograph(*shape)
    given: Any = Image.fromarray(picture)
    theirs = np.asarray(processor([given], return_tensors="np")[key]).reshape(3, 224, 224) * 255
    ours = Picture(size=224, interpolation=interpolation)(picture)
    assert ours.shape == (3, 224, 224)
    assert np.abs(ours - theirs).mean() < 0.01
    assert np.abs(ours - theirs).max() < 2.01


@pytest.mark.parametrize("fit", ["crop", "squeeze", "pad"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (3, 64), (64, 64), (2000, 1500)])
def test_any_size_becomes_a_square(shape: tuple[int, int], fit: Any) -> None:
    made = Picture(size=64, fit=fit)(np.full((*shape, 3), 200, np.uint8))
    assert made.shape == (3, 64, 64)
    assert made.flags.c_contiguous
    assert made.dtype == np.uint8
    assert (made.max() == 200) and (fit == "pad" or made.min() == 200)


def test_a_picture_of_the_right_size_is_left_alone() -> None:
    picture = photograph(64, 64)
    for fit in ("crop", "squeeze", "pad"):
        assert (Picture(size=64, fit=fit)(picture) == picture.transpose(2, 0, 1)).all()  # type: ignore[arg-type]


def test_padding_keeps_all_of_a_picture_in_the_middle() -> None:
    made = Picture(size=64, fit="pad")(np.full((30, 60, 3), 200, np.uint8))
    assert (made[:, 16:48] == 200).all()
    assert (made[:, :16] == 0).all() and (made[:, 48:] == 0).all()


def test_an_unknown_fit_is_refused() -> None:
    with pytest.raises(UserError, match=r"fit=stretch .* crop, squeeze, pad"):
        Picture(size=64, fit="stretch")  # type: ignore[arg-type]
