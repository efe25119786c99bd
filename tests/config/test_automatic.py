"""`adapter=auto`: what is chosen for which corpus, and that every command afterwards names it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sonar_slt.config.automatic import adapter_for, with_adapter
from sonar_slt.data.corpora.mixed import Mixed
from sonar_slt.data.corpora.prepared import Prepared
from sonar_slt.data.feature_store import FEATURES, shard_name
from sonar_slt.data.manifest import Row, write
from sonar_slt.data.normalise import BySigner
from sonar_slt.data.preparation import Preparation
from sonar_slt.data.store import StoreWriter
from sonar_slt.errors import UserError

pytestmark = pytest.mark.conf


def prepared(folder: Path, *, points: bool, pictures: bool, track: str | None = None) -> Prepared:
    folder.mkdir(parents=True)
    source = "clip/*.png" if pictures else None
    row = Row(
        id="clip", corpus="c", split="train", signer="", sign_language="", frames=3, fps=25.0,
        texts={"deu_Latn": ("Ja.",)}, source=source, content="",
    )  # fmt: skip
    write(folder / "manifest.jsonl", [row])
    if points:
        (folder / "clips").mkdir()
    if track:
        shard = folder / FEATURES / "one-00000000" / shard_name(1, 1)
        with StoreWriter(shard, shape=(2,), dtype="float16", described={"track": track}) as store:
            store.finish()
    return Prepared(root=folder)


@pytest.mark.parametrize(
    ("points", "pictures", "track", "expected"),
    [
        (True, False, None, "keypoint"),
        (True, True, None, "multimodal"),
        (True, True, "spatial", "spamo"),
        (True, False, "motion", "spamo"),
        (True, False, "pictures", "keypoint"),
        (False, True, None, "spamo"),
    ],
)
def test_what_a_corpus_has_decides(
    tmp_path: Path, points: bool, pictures: bool, track: str | None, expected: str
) -> None:
    corpus = prepared(tmp_path / "corpus", points=points, pictures=pictures, track=track)
    name, why = adapter_for(corpus)
    assert name == expected and why


def test_all_parts_of_a_mix_must_have_it(tmp_path: Path) -> None:
    with_features = prepared(tmp_path / "one", points=True, pictures=False, track="spatial")
    without = prepared(tmp_path / "two", points=True, pictures=True)
    mixed = Mixed(preparation=Preparation(normalise=BySigner()), parts={"one": with_features, "two": without})
    assert adapter_for(mixed)[0] == "keypoint"


class TestCommands:
    def test_the_toy_world_has_keypoints(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        words = [f"paths.outputs={tmp_path}", "adapter.dim=64"]
        assert with_adapter("train", words)[0] == [*words, "adapter=keypoint"]
        assert "Adapter: keypoint, because the corpus has keypoints" in capsys.readouterr().err

    @pytest.mark.parametrize("words", [["adapter=spamo"], ["task=text_space"], ["experiment=toy_space"]])
    def test_who_chooses_is_not_asked(self, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert with_adapter("train", words)[0] == words
        assert not capsys.readouterr().err

    def test_verbs_without_an_adapter_are_left_alone(self) -> None:
        assert with_adapter("embed", ["seed=3"])[0] == ["seed=3"] and with_adapter("runs", [])[0] == []

    def test_a_wrong_word_is_still_told_by_the_examination(self) -> None:
        words, found = with_adapter("train", ["data=toi"])
        assert words == ["data=toi"] and len(found.problems) == 1
        words, found = with_adapter("train", ["adapter.dmi=3"])
        assert words[-1] == "adapter=keypoint" and "Did you mean adapter.dim?" in found.problems[0]

    def test_a_sweep_over_corpora_must_agree(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        words = [f"paths.outputs={tmp_path}", "data.train=5,6", "seed=1,2"]
        assert with_adapter("train", words, multirun=True)[0][-1] == "adapter=keypoint"
        called: list[Any] = []

        def one_then_other(corpus: Any) -> tuple[str, str]:
            called.append(corpus)
            return ("keypoint", "of this") if len(called) == 1 else ("spamo", "of that")

        monkeypatch.setattr("sonar_slt.config.automatic.adapter_for", one_then_other)
        with pytest.raises(UserError, match="several adapters, keypoint because of this; spamo because of that"):
            with_adapter("train", words, multirun=True)
        assert len(called) == 2, "a seed changes no corpus"
