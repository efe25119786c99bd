"""Pictures as features: which frames are kept, how large they are, and what is said of clips without any."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sonar_slt.data.feature_store import feature_set
from sonar_slt.errors import UserError
from sonar_slt.features import Pictures
from sonar_slt.features.extraction.job import extract
from tests.features.filmed import FilmedCorpus


def test_every_so_many_frames_are_kept_as_bytes(tmp_path: Path) -> None:
    corpus = FilmedCorpus(tmp_path / "corpus", [10, 1, 0, 33], {3: 20})
    done = extract(corpus, Pictures(size=8, step=4), name="pictures", shown=False)
    assert done.summary["clips"] == 2 and done.summary["left_out"] == 2
    assert done.summary["faults"] == {"empty_clip": 1, "unreadable": 1}
    found = feature_set(corpus.prepared, "pictures", None)
    assert found is not None and found.shape == (3, 8, 8) and found.stores[0].dtype == np.uint8
    assert found["clip00"][:, 1, 3, 3].tolist() == [0, 4, 8] and found["clip01"].shape == (1, 3, 8, 8)
    assert done.summary["frames"] == 11


@pytest.mark.parametrize("wrong", [{"size": 0}, {"step": 0}])
def test_sizes_below_one_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UserError, match="each is at least 1"):
        Pictures(**wrong)  # type: ignore[arg-type]
