"""`sonar-slt augment-text`: a prepared corpus before and after, and every wrong input in one sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sonar_slt.cli import main
from sonar_slt.config.assembly import corpus_of
from sonar_slt.data import manifest
from sonar_slt.data.manifest import Manifest, Row
from sonar_slt.data.preparation.job import prepare
from tests.conftest import composed
from tests.translator.speaking import write_translator

pytestmark = pytest.mark.smoke

Augment = Callable[..., int]
SIZES = {"data.train": 1, "data.dev": 1, "data.test": 1, "+data.languages": "[deu_Latn]"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A corpus in German alone, and a translator; no test changes either."""
    folder = tmp_path_factory.mktemp("augment")
    corpus = corpus_of(composed("prepare", folder, SIZES))
    corpus.prepare()
    return corpus.prepared, write_translator(folder / "nllb")


@pytest.fixture
def corpus(made: tuple[Path, Path], tmp_path: Path) -> Path:
    """A copy of the prepared corpus."""
    return Path(shutil.copytree(made[0], tmp_path / "corpus"))


@pytest.fixture
def augment(made: tuple[Path, Path], corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Augment:
    """The verb on that copy, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    own = ["data=prepared", f"data.root={corpus}", f"translator.source={made[1]}", "translator.max_tokens=4"]
    return lambda *words: main(["augment-text", *own, *words])


def rows(corpus: Path) -> list[Row]:
    return list(Manifest(corpus / "manifest.jsonl"))


def test_a_corpus_fits_as_before_and_what_prepare_throws_away_comes_back(
    made: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    told = [f"{key}={value}" for key, value in SIZES.items()]
    model = [f"translator.source={made[1]}", "translator.max_tokens=4"]
    words = ["augment-text", *told, *model, "languages=[spa_Latn,eng_Latn]"]
    corpus = corpus_of(composed("prepare", tmp_path / "outputs", SIZES))
    old = Manifest(Path(shutil.copytree(made[0], corpus.prepared)) / "manifest.jsonl")
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "spa_Latn: 3 clips lack it." in said and "9 distinct sentences, 0 were there, 9 translated in " in said
    whole = rows(corpus.prepared)
    corpus.prepare()  # as every training does
    assert rows(corpus.prepared) == whole and all(row.pseudo["spa_Latn"] for row in whole)
    assert len(corpus.clips) == len(corpus.rows)  # it is looked at whether they belong together
    assert corpus.rows.media_digest == old.media_digest  # extracted features stay good
    assert corpus.rows.digest != old.digest  # and a run's record names another manifest
    counted = json.loads((corpus.prepared / "summary.json").read_text())["splits"]["dev"]["languages"]
    (dev,) = (row for row in whole if row.split == "dev")
    assert counted["eng_Latn"]["pseudo"] == len(dev.pseudo["eng_Latn"])
    assert counted["deu_Latn"]["sentences"] == 3 and counted["deu_Latn"]["pseudo"] == 0
    prepare(corpus, renew=True, shown=False)
    assert not any(row.pseudo for row in rows(corpus.prepared))
    assert not (corpus.prepared / "translations.json").exists()
    assert main(words) == 0
    assert "9 distinct sentences, 9 were there, 0 translated in " in capsys.readouterr().out
    assert rows(corpus.prepared) == whole


def test_a_space_that_is_chosen_judges(
    augment: Augment, corpus: Path, made: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    judged = ["space=sonar", f"space.source={made[1]}", "least_cosine=1"]
    assert augment("languages=[eng_Latn]", *judged, "drop_flagged=true") == 0
    said = capsys.readouterr().out
    assert "9 of 9 translations lie below the cosine 1" in said and str(corpus / "flagged.jsonl") in said
    assert len((corpus / "flagged.jsonl").read_text().splitlines()) == 9 and not any(row.pseudo for row in rows(corpus))


class TestWrongInput:
    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (["languages=[]"], "Add languages=[eng_Latn,fra_Latn]"),
            (["languages=[fra_Lat]"], "Did you mean fra_Latn"),
            (["languages=[fra_Latn,por_Latn]"], "has no language 'por_Latn'. It has deu_Latn"),
            (["languages=[eng_Latn,deu_Latn]"], "deu_Latn is translated from; leave it out"),
            (["language=tur_Latn"], "language=tur_Latn: no clip has a sentence by people in it; the manifest has deu_"),
            (["drop_flagged=true"], "drop_flagged=true: only a space can flag"),
            (["data.root=empty"], "'empty' is no prepared corpus"),
            (["paths.cache=file"], "choose another by paths.cache=FOLDER"),
        ],
    )
    def test_it_is_one_sentence_and_nothing_is_written(
        self, augment: Augment, corpus: Path, capsys: pytest.CaptureFixture[str], words: list[str], says: str
    ) -> None:
        Path("empty").mkdir()
        Path("file").touch()
        before = {path: path.read_bytes() for path in corpus.iterdir() if path.is_file()}
        assert augment(*words) == 2
        said = capsys.readouterr().err
        assert says in said and said.count("\n") == 1
        assert {path: path.read_bytes() for path in corpus.iterdir() if path.is_file()} == before

    def test_a_corpus_that_is_not_prepared_is_told_with_the_command(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert main(["augment-text", "data.train=7", "languages=[spa_Latn]", "translator.num_beams=2"]) == 2
        assert "is not prepared yet: `sonar-slt prepare data.train=7` does it." in capsys.readouterr().err

    def test_of_several_languages_one_has_to_be_chosen(
        self, augment: Augment, corpus: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        former = rows(corpus)
        turkish = replace(former[0], texts={"tur_Latn": ["Yağmur."], "eng_Latn": ["Rain."]})
        manifest.write(corpus / "manifest.jsonl", [turkish, *former[1:]])
        assert augment() == 2
        assert "are in tur_Latn, eng_Latn, deu_Latn: choose the one" in capsys.readouterr().err
        assert augment("language=eng_Latn", "languages=[deu_Latn,fra_Latn]") == 0
        found = rows(corpus)
        assert set(found[0].pseudo) == {"deu_Latn", "fra_Latn"} and not found[1].pseudo and not found[2].pseudo
        assert "deu_Latn: 1 clips lack it; 2 have people's sentences." in capsys.readouterr().out
        manifest.write(corpus / "manifest.jsonl", [replace(row, texts={}) for row in former])
        assert augment() == 2
        assert "No clip has a sentence by people" in capsys.readouterr().err


def test_nothing_lacking_needs_no_translator(
    augment: Augment, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = [replace(row, texts={**row.texts, "eng_Latn": ["Rain."]}) for row in rows(corpus)]
    manifest.write(corpus / "manifest.jsonl", both)
    assert augment("languages=[eng_Latn]", "language=deu_Latn", "translator.source=nowhere") == 0
    assert "3 have people's sentences" in (said := capsys.readouterr().out) and "Nothing to translate." in said
    assert not (corpus / "translations.json").exists()
