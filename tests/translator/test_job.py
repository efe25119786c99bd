"""The translation job on a manifest written by hand: what it fills, leaves, does once, and flags."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from sonar_slt.data import manifest
from sonar_slt.data.manifest import Manifest, Row
from sonar_slt.data.translations import Order, lacking
from sonar_slt.space import SentenceSpace
from sonar_slt.translator import NllbTranslator
from sonar_slt.translator.job import TranslationJob
from tests.translator.speaking import SENTENCES

GERMAN = [(SENTENCES[0], SENTENCES[1]), (SENTENCES[2],), (SENTENCES[3], SENTENCES[0]), (SENTENCES[4],), (SENTENCES[5],)]
TARGETS = ("eng_Latn", "fra_Latn")
Run = Callable[..., bool]


class Counting(NllbTranslator):
    """Counts the sentences that its model was really given, and may be stopped behind so many batches."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.given, self.batches, self.stop = 0, 0, 10_000

    def _said(self, rows: Sequence[Sequence[int]], search: Any) -> list[str]:
        if self.batches == self.stop:
            raise KeyboardInterrupt
        self.given, self.batches = self.given + len(rows), self.batches + 1
        return super()._said(rows, search)


@pytest.fixture
def translator(nllb: Path) -> Counting:
    return Counting(source=str(nllb), num_beams=1, max_tokens=5, batch_tokens=60)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder with a manifest alone, in German; sentence 0 is said twice."""
    rows = [
        Row(
            **{"id": f"clip-{number}", "corpus": "own", "split": "train", "signer": "", "sign_language": "gsg"},
            **{"frames": 10, "fps": 25.0, "texts": {"deu_Latn": said}, "content": str(number)},
        )
        for number, said in enumerate(GERMAN)
    ]
    folder = tmp_path / "corpus"
    folder.mkdir()
    manifest.write(folder / "manifest.jsonl", rows)
    return folder


@pytest.fixture
def run(translator: Counting, corpus: Path, tmp_path: Path) -> Run:
    """The job on that folder."""

    def run(*, replace: bool = False, targets: Sequence[str] = TARGETS, by: Any = translator, **options: Any) -> bool:
        order = Order(source="deu_Latn", targets=targets, replace=replace)
        job = TranslationJob(translator=by, cache=tmp_path / "cache", **options)
        return job.run(corpus, order, lacking(Manifest(corpus / "manifest.jsonl"), order))

    return run


def rows(corpus: Path) -> list[Row]:
    return list(Manifest(corpus / "manifest.jsonl"))


def rewrite(corpus: Path, changes: Mapping[int, Mapping[str, Any]]) -> list[Row]:
    written = [replace(row, **changes.get(number, {})) for number, row in enumerate(rows(corpus))]
    manifest.write(corpus / "manifest.jsonl", written)
    return rows(corpus)


def files(corpus: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in corpus.iterdir() if path.is_file()}


def alone(translator: NllbTranslator, texts: Sequence[str], target: str) -> list[str]:
    """Translations of sentences, each asked for by itself."""
    asked = [translator.translate([text], source="deu_Latn", target=target) for text in texts]
    return [next(batches)[0] for batches in asked]


class TestWhatIsWritten:
    def test_machines_fill_what_people_have_not_said_and_nothing_else(
        self, run: Run, corpus: Path, translator: Counting
    ) -> None:
        english = {"deu_Latn": GERMAN[0], "eng_Latn": ("Rain, says a person.",)}
        old = {"fra_Latn": ("Il pleut.",)}
        before = rewrite(corpus, {0: {"texts": english}, 1: {"pseudo": old}, 2: {"texts": {"eng_Latn": ("Hail.",)}}})
        assert run()
        after = rows(corpus)
        assert [replace(row, pseudo={}) for row in after] == [replace(row, pseudo={}) for row in before]
        assert after[0].references("eng_Latn") == ("Rain, says a person.",) and "eng_Latn" not in after[0].pseudo
        assert after[1].pseudo["fra_Latn"] == ("Il pleut.",) and after[2] == before[2]
        assert after[0].pseudo["fra_Latn"] == tuple(alone(translator, GERMAN[0], "fra_Latn"))  # each in order
        assert len(after[0].pseudo["fra_Latn"]) == 2
        assert after[3].pseudo == {code: tuple(alone(translator, GERMAN[3], code)) for code in TARGETS}
        assert after[3].origin("eng_Latn") == "pseudo" and after[0].origin("eng_Latn") == "human"

    def test_who_translated_is_written_down(self, run: Run, corpus: Path, translator: Counting) -> None:
        before = files(corpus)["manifest.jsonl"]
        assert run(targets=["eng_Latn"])
        assert run()
        found = rows(corpus)
        origins = json.loads(files(corpus)["translations.json"])
        for code in TARGETS:
            (entry,) = origins[code]
            assert entry["translator"] == translator.described() and entry["from"] == "deu_Latn" and entry["date"]
            assert entry["clips"] == len(found) and entry["flagged"] == []
            assert entry["sentences"] == sum(len(row.pseudo[code]) for row in found) > len(found)
        assert files(corpus)["manifest.prepared.jsonl"] == before  # from before the first of them

    def test_a_machines_sentences_give_way_only_if_asked_to(self, run: Run, corpus: Path) -> None:
        before = rewrite(corpus, {number: {"pseudo": {"eng_Latn": ("Old.",)}} for number in range(len(GERMAN))})
        assert not run(targets=["eng_Latn"]) and rows(corpus) == before
        assert run(targets=["eng_Latn"], replace=True)
        assert all(row.pseudo["eng_Latn"] and "Old." not in row.pseudo["eng_Latn"] for row in rows(corpus))

    def test_a_translation_that_is_empty_goes_nowhere(self, run: Run, corpus: Path, translator: Counting) -> None:
        said = {text: "" if text == SENTENCES[2] else "Rain." for text in SENTENCES}
        job_memory = TranslationJob(translator=translator, cache=corpus.parent / "cache").memory
        job_memory.keep(said, source="deu_Latn", target="eng_Latn")
        assert run(targets=["eng_Latn"])
        assert [row.pseudo.get("eng_Latn") for row in rows(corpus)] == [("Rain.",), None, *[("Rain.",)] * 3]
        assert translator.given == 0

    def test_what_another_process_wrote_meanwhile_stays(self, corpus: Path, translator: Counting, run: Run) -> None:
        order = Order(source="deu_Latn", targets=TARGETS)
        lacks = lacking(Manifest(corpus / "manifest.jsonl"), order)
        rewrite(corpus, {0: {"pseudo": {"spa_Latn": ("Lluvia.",)}}, 1: {"texts": {"deu_Latn": ("Ganz neu.",)}}})
        assert TranslationJob(translator=translator, cache=corpus.parent / "cache").run(corpus, order, lacks)
        found = rows(corpus)
        assert found[0].pseudo["spa_Latn"] == ("Lluvia.",) and found[0].pseudo["eng_Latn"]
        assert found[1].pseudo == {}


class TestOnce:
    def test_a_sentence_is_translated_once_and_a_second_call_changes_no_byte(
        self, run: Run, corpus: Path, translator: Counting
    ) -> None:
        distinct = len({text for said in GERMAN for text in said})
        assert run()
        assert translator.given == 2 * distinct < 2 * sum(map(len, GERMAN)) and translator.batches > 2
        written = files(corpus)
        assert not run() and not run(replace=True)
        assert translator.given == 2 * distinct and files(corpus) == written

    def test_a_job_that_was_stopped_does_the_rest(
        self, run: Run, corpus: Path, translator: Counting, nllb: Path, tmp_path: Path
    ) -> None:
        before, translator.stop = files(corpus), 2
        with pytest.raises(KeyboardInterrupt):
            run()
        assert files(corpus) == before and translator.given > 0
        (kept,) = (tmp_path / "cache" / "translations").glob("*/*.jsonl")
        with kept.open("a") as stream:
            stream.write('{"text": "Am Mon')  # what a kill in the middle of a write leaves
        translator.stop = 10_000
        assert run()
        assert translator.given == 2 * len({text for said in GERMAN for text in said})
        at_once = Counting(source=str(nllb), num_beams=1, max_tokens=5, batch_tokens=10_000)
        found = rows(corpus)
        kept.unlink()
        assert not run(replace=True, by=at_once) and at_once.given > 0
        assert rows(corpus) == found

    def test_another_way_of_searching_is_another_memory(self, run: Run, nllb: Path) -> None:
        assert run()
        other = Counting(source=str(nllb), num_beams=2, max_tokens=5)
        run(replace=True, by=other)
        assert other.given


class TestFlags:
    @pytest.fixture
    def space(self, nllb: Path) -> SentenceSpace:
        """Random vectors, which say which sentence they are of."""
        return SentenceSpace.from_pretrained(nllb)

    def cosines(self, space: SentenceSpace, translator: Counting) -> dict[str, float]:
        """Of each sentence and its translation, both seen from the mean of all sentences."""
        spoken = list(dict.fromkeys(text for said in GERMAN for text in said))
        vectors = space.encode(spoken, "deu_Latn")
        centre = vectors.mean(dim=0)
        said = space.encode(alone(translator, spoken, "eng_Latn"), "eng_Latn")
        found = torch.cosine_similarity(vectors - centre, said - centre)
        assert (found - torch.cosine_similarity(vectors, said)).abs().max() > 0.01  # plain ones are others
        return dict(zip(spoken, found.tolist(), strict=True))

    def test_what_lies_too_far_is_listed_and_left_out_on_demand(
        self, run: Run, corpus: Path, translator: Counting, space: SentenceSpace
    ) -> None:
        cosines = self.cosines(space, translator)
        low, high = sorted(cosines.values())[2:4]
        judged = {"targets": ["eng_Latn"], "space": space, "least_cosine": (low + high) / 2}
        assert run(**judged)
        lines = [json.loads(line) for line in files(corpus)["flagged.jsonl"].splitlines()]
        expected = [(f"clip-{n}", text) for n, said in enumerate(GERMAN) for text in said if cosines[text] <= low]
        assert [(line["id"], line["sentence"]) for line in lines] == expected and len(expected) >= 3
        for line in lines:
            assert line["cosine"] == pytest.approx(cosines[line["sentence"]], abs=1e-3)
            assert (line["language"], line["done"]) == ("eng_Latn", "kept") and line["translation"]
        everything = rows(corpus)
        assert all(row.pseudo["eng_Latn"] for row in everything)
        assert run(**judged, replace=True, drop_flagged=True)
        for row in rows(corpus):
            kept = [text for text in row.texts["deu_Latn"] if cosines[text] > low]
            assert row.pseudo.get("eng_Latn", ()) == tuple(alone(translator, kept, "eng_Latn"))
        (entry,) = json.loads(files(corpus)["translations.json"])["eng_Latn"]
        assert entry["flagged"] == [id for id, _ in expected] and entry["drop_flagged"] is True
        assert entry["space"] == space.fingerprint and entry["least_cosine"] == judged["least_cosine"]
        written = files(corpus)
        assert not run(**judged, drop_flagged=True)  # what was left out is lacking, and is left out again
        assert files(corpus) == written

    def test_without_a_space_nothing_is_flagged(self, run: Run, corpus: Path) -> None:
        assert run() and "flagged.jsonl" not in files(corpus)


class TestProgress:
    def test_a_log_gets_lines_with_pace_and_time_left(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("sonar_slt.translator.job.TALKATIVE", 0.0)
        assert run(targets=["eng_Latn"])
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) > 1 and all(
            re.fullmatch(r"Into eng_Latn: \d of 6, [\d.,]+ a second, 0 min left", x) for x in lines
        )

    def test_a_terminal_gets_a_bar(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name, value in {"FORCE_COLOR": "1", "COLUMNS": "160"}.items():
            monkeypatch.setenv(name, value)
        assert run(targets=["eng_Latn"])
        said = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err)
        assert "Into eng_Latn" in said and re.search(r"6/6.*sentences/s", said)
