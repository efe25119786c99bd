"""`sonar-slt embed`: what it fills, what it says, what it refuses, and that it goes on where it was stopped."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sonar_slt.cli import main
from sonar_slt.cli.embed import read_sentences
from sonar_slt.config.assembly import assemble
from sonar_slt.space import SentenceSpace
from sonar_slt.space.cache import CachedVectors
from sonar_slt.task.judging.evaluation import evaluate
from tests.conftest import MICRO, composed

pytestmark = pytest.mark.smoke

Embed = Callable[..., int]


@pytest.fixture
def own(space_folder: Path) -> list[str]:
    return ["recipe=null", f"space.source={space_folder}"]


@pytest.fixture
def embed(own: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Embed:
    """The verb in an empty folder, on the micro space."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: main(["embed", *own, *words])


class TestOfData:
    def test_it_computes_all_that_training_and_evaluation_ask_for(
        self, embed: Embed, outputs: Path, space_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        data = {**MICRO, "paths.corpora": outputs / "corpora", "paths.cache": tmp_path / "cache"}
        assert embed(*(f"{key}={value}" for key, value in data.items())) == 0
        said = capsys.readouterr().out
        assert ": 0 were there, " in said and str(tmp_path / "cache" / "vectors") in said
        assert embed(*(f"{key}={value}" for key, value in data.items())) == 0
        assert ", 0 computed in " in capsys.readouterr().out
        overrides = {**data, "recipe": "null", "space.source": space_folder, "space.only": "decoder"}
        made = assemble(composed("train", outputs, overrides))
        made.data.batch(0)
        languages = made.data.scorable("dev")
        assert set(languages) == {*made.data.targets, *made.data.unseen} and made.data.unseen
        result = evaluate(made.task.adapter, made.task.student, made.data, split="dev", languages=languages)
        assert len(result.metrics["scores"]) == len(languages)
        rows = [row for split in ("train", "test") for row in made.data.rows[split]]
        for code in languages:
            assert made.data.cache.fill([row.texts[code][0] for row in rows], code).computed == 0

    def test_a_space_that_is_to_be_trained_has_no_vectors_yet(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert main(["embed", "task=text_space"]) == 2
        assert "needs a space" in capsys.readouterr().err


class TestOfFiles:
    def test_sentences_are_encoded_once_and_saved_in_order(
        self, embed: Embed, space: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "a.txt").write_bytes("Regen.\r\n\r\n  \nNebel über Köln.\n".encode())
        (tmp_path / "b.txt").write_text("Regen.\nSonne.", encoding="utf-8-sig")
        assert embed("a.txt", "b.txt", "language=deu_Latn", "output=deep/down.npy") == 0
        said = capsys.readouterr()
        assert said.err == "a.txt: skipped 2 blank lines: 2, 3.\n"
        assert "4 sentences, 3 of them distinct: 0 were there, 3 computed in " in said.out
        assert f"Cache: {tmp_path / 'outputs' / 'cache' / 'vectors' / space.vector_id}\n" in said.out
        vectors = torch.from_numpy(np.load("deep/down.npy", allow_pickle=False))
        texts = ["Regen.", "Nebel über Köln.", "Regen.", "Sonne."]
        torch.testing.assert_close(vectors, space.encode(texts, "deu_Latn"), rtol=1e-5, atol=1e-7)
        assert embed("b.txt", "language=deu_Latn", "space.only=decoder") == 0
        assert "2 sentences, 2 of them distinct: 2 were there, 0 computed in " in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (["good.txt"], "Add language=deu_Latn"),
            (["good.txt", "language=deu_Lat"], "Did you mean deu_Latn"),
            (["good.txt", "language=fin_Latn"], "has no language 'fin_Latn'"),
            (["language=deu_Latn"], "language= goes with files"),
            (["output=x.npy"], "output= goes with files"),
            (["nowhere.txt", "language=deu_Latn"], "'nowhere.txt' cannot be read: No such file"),
            ([".", "language=deu_Latn"], "Is a directory"),
            (["latin1.txt", "language=deu_Latn"], "Line 2 of 'latin1.txt' is not utf-8"),
            (["empty.txt", "language=deu_Latn"], "'empty.txt' holds no sentence"),
            (["good.txt", "blank.txt", "language=deu_Latn"], "'blank.txt' holds no sentence"),
            (["good.txt", "language=deu_Latn", "output=folder"], "output='folder' is a folder"),
            (["good.txt", "language=deu_Latn", "output=good.txt/x.npy"], "/good.txt' is no folder"),
            (["good.txt", "language=deu_Latn", "output=good.txt/deep/x.npy"], "/good.txt' is no folder"),
            (["good.txt", "language=deu_Latn", "output='~'"], "is a folder"),
        ],
    )
    def test_wrong_input_is_one_sentence_and_nothing_is_computed(
        self, embed: Embed, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], says: str
    ) -> None:
        (tmp_path / "good.txt").write_text("Regen.\n", encoding="utf-8")
        (tmp_path / "latin1.txt").write_bytes("Regen.\nNebel über Köln.\n".encode("latin-1"))
        (tmp_path / "empty.txt").touch()
        (tmp_path / "blank.txt").write_text("\n \n\t\n")
        (tmp_path / "folder").mkdir()
        assert embed(*words) == 2
        said = capsys.readouterr().err
        assert says in said and said.count("\n") == 1
        assert not (tmp_path / "outputs").exists() and not (tmp_path / "x.npy").exists()

    def test_a_folder_that_takes_no_output_is_met_first(
        self, embed: Embed, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "good.txt").write_text("Regen.\n", encoding="utf-8")
        monkeypatch.setattr(os, "access", lambda *args, **options: False)
        assert embed("good.txt", "language=deu_Latn", "output=new/x.npy") == 2
        said = capsys.readouterr().err
        assert f"nothing may be put into the folder '{tmp_path}'" in said and said.count("\n") == 1
        assert not (tmp_path / "outputs").exists()

    def test_a_folder_that_takes_none_any_more_is_one_sentence(
        self, embed: Embed, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "good.txt").write_text("Regen.\n", encoding="utf-8")

        def refused(vectors: Any, path: Path) -> None:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

        monkeypatch.setattr(CachedVectors, "save", refused)
        assert embed("good.txt", "language=deu_Latn", "output=x.npy") == 2
        said = capsys.readouterr().err
        assert "'x.npy' cannot be written: Permission denied" in said and said.count("\n") == 1

    def test_a_tilde_is_home_and_paths_are_printed_as_they_are(
        self, embed: Embed, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        home = tmp_path / "home [old]"
        home.mkdir()
        monkeypatch.setenv("HOME", str(home))
        (tmp_path / "good.txt").write_text("Regen.\n", encoding="utf-8")
        words = ["output='~/[/x] vectors.npy'", f"paths.cache='{tmp_path}/[red]cache'"]
        assert embed("good.txt", "language=deu_Latn", *words) == 0
        said = capsys.readouterr().out
        assert f"of the files: {home}/[/x] vectors.npy\n" in said and f"Cache: {tmp_path}/[red]cache/vectors/" in said
        assert len(np.load(home / "[" / "x] vectors.npy", allow_pickle=False)) == 1
        assert not (tmp_path / "~").exists()

    def test_many_blank_lines_are_not_all_named(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "gaps.txt").write_text("x\n" + 30 * "\n" + " y \n", encoding="utf-8")
        assert read_sentences(tmp_path / "gaps.txt") == ["x", " y "]
        assert capsys.readouterr().err.endswith("skipped 30 blank lines: 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 20 more.\n")


@pytest.mark.parametrize(("sent", "name"), [(signal.SIGINT, "Interrupted."), (signal.SIGTERM, "Terminated.")])
def test_one_that_is_stopped_goes_on_where_it_was(
    embed: Embed,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    sent: signal.Signals,
    name: str,
) -> None:
    (tmp_path / "many.txt").write_text("".join(f"Regen {number} und Nebel\n" for number in range(300)))
    monkeypatch.setattr("sonar_slt.space.cache.vector_cache.CHUNK_TOKENS", 400)
    chunks: list[int] = []
    encode, heard = SentenceSpace.encode, signal.getsignal(signal.SIGTERM)

    def stopped(space: Any, texts: Sequence[str], *rest: Any, **options: Any) -> Any:
        chunks.append(len(texts))
        if len(chunks) == 4:
            signal.raise_signal(sent)
        return encode(space, texts, *rest, **options)

    monkeypatch.setattr(SentenceSpace, "encode", stopped)
    assert embed("many.txt", "language=deu_Latn", "output=all.npy") == 1
    assert capsys.readouterr() == ("", f"{name}\n") and not (tmp_path / "all.npy").exists()
    assert len(list(tmp_path.rglob("*.keys.npy"))) == 3 and not list(tmp_path.rglob("*.draft"))
    assert signal.getsignal(signal.SIGTERM) is heard
    there = sum(chunks[:3])
    assert embed("many.txt", "language=deu_Latn", "output=all.npy") == 0
    assert f": {there} were there, {300 - there} computed in " in capsys.readouterr().out
    assert len(np.load(tmp_path / "all.npy", allow_pickle=False)) == 300
