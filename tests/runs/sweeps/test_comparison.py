"""Rows and differences of known numbers; nothing is dropped; sentences are paired as the signatures say."""

from __future__ import annotations

import itertools
import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonar_slt.errors import UserError
from sonar_slt.metrics.ngrams.bleu import Bleu
from sonar_slt.metrics.ngrams.chrf import Chrf
from sonar_slt.metrics.significance import mean_difference
from sonar_slt.metrics.text import score_translations
from sonar_slt.runs.sweeps.baseline import against
from sonar_slt.runs.sweeps.comparison import Comparison, Row, compare
from sonar_slt.runs.sweeps.formats.wording import Wording
from sonar_slt.runs.sweeps.sentences import PairedSentences
from sonar_slt.runs.sweeps.sweep import Sweep
from tests.runs.sweeps.swept import Folder

FORECAST = "am Sonntag Regen im Norden Süden Wind weht schwach und sonst bleibt es trocken"
WORDS = FORECAST.split()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Where runs are written."""
    return Folder(tmp_path / "runs")


def rows(found: Comparison) -> dict[str, Row]:
    return {found.label(row): row for row in found.rows}


@pytest.fixture
def crossed(folder: Folder) -> Folder:
    """2 × 2 × 3: terms add 4 (but 5 and 3 with the seeds 2 and 3), the weight adds 1; one job of them failed."""
    apart = {1: 4.0, 2: 5.0, 3: 3.0}
    for (terms, weight), seed in itertools.product(itertools.product(("[mse]", "[mse,ce]"), (0.1, 1.0)), (1, 2, 3)):
        words = (f"objective={terms}", f"objective.mse.weight={weight}")
        if (terms, weight, seed) == ("[mse,ce]", 1.0, 3):
            folder.add(*words, seed=seed, status="failed", reason="CUDA | is gone")
            continue
        value = 50.0 + 10 * seed + (weight == 1.0) + (apart[seed] if terms == "[mse,ce]" else 0.0)
        folder.add(*words, seed=seed, bleu=value)
    return folder


def test_rows_are_means_and_spreads_over_seeds(crossed: Folder) -> None:
    found = compare(Sweep.read(crossed.root, "last"), targets=["bleu", "bleu/unseen", "minutes"])
    assert found.keys == ("objective", "objective.mse.weight") and len(found.rows) == 4
    row = rows(found)["objective=[mse,ce] objective.mse.weight=0.1"]
    values = [64.0, 75.0, 83.0]
    assert row.cells["bleu"].mean == pytest.approx(sum(values) / 3) and row.cells["bleu"].spread == pytest.approx(
        float(np.std(values, ddof=1))
    )
    assert row.cells["bleu/unseen"].mean == pytest.approx(sum(values) / 3 - 10) and row.cells["bleu"].best
    assert [one.cells["bleu"].best for one in found.rows] == [False, False, True, False]
    assert rows(found)["objective=[mse] objective.mse.weight=0.1"].cells["minutes"].best  # where less is better
    fewer = rows(found)["objective=[mse,ce] objective.mse.weight=1"]
    assert len(fewer.runs) == 2 and fewer.lacking == {("3",): "failed: CUDA | is gone"} and fewer.wanted == 3
    words = Wording(found)
    assert words.value("bleu", fewer) == "70.5 ± 7.8" and words.count(fewer) == "2 of 3"
    assert words.lacking(fewer) == ["seed 3: failed: CUDA | is gone"]


def test_what_failed_and_was_done_again_is_no_failure(crossed: Folder) -> None:
    crossed.sweep, crossed.jobs = "2026-11-28_11-00-00-000000_terms", 0
    crossed.add("objective=[mse,ce]", "objective.mse.weight=1.0", seed=3, bleu=84.0)
    found = compare(Sweep.read(crossed.root, "terms"))
    assert not any(row.lacking for row in found.rows) and all(len(row.runs) == 3 for row in found.rows)


def test_every_row_is_held_against_the_one_alike_in_all_other_keys(crossed: Folder) -> None:
    found = against(compare(Sweep.read(crossed.root, "last")), "objective=[mse]")
    assert [row.baseline for row in found.rows] == [True, True, False, False]
    first, second = (row.cells["bleu"].difference for row in found.rows[2:])
    assert first and second
    assert first.mean == pytest.approx(4.0) and first.pairs == 3
    reach = 4.303 / math.sqrt(3)  # the differences are 4, 5 and 3
    assert (first.low, first.high) == (pytest.approx(4 - reach), pytest.approx(4 + reach)) and first.over_seeds
    assert second.mean == pytest.approx(4.5) and second.pairs == 2 and not second.over_seeds
    assert Wording(found).difference("bleu", found.rows[2].cells["bleu"]) == "+4.0* (+1.5 to +6.5)"
    assert any("and the same other keys" in line for line in Wording(found).legend())


def test_one_row_can_be_the_baseline_of_all_by_settings_or_by_a_run(crossed: Folder) -> None:
    plain = compare(Sweep.read(crossed.root, "last"))
    named = against(plain, "objective=[mse], objective.mse.weight=1")
    run = next(iter(plain.rows[1].runs.values())).record
    for found in (named, against(plain, run.id), against(plain, run.folder.name), against(plain, run.id[:7])):
        assert [row.baseline for row in found.rows] == [False, True, False, False]
        apart = [row.cells["bleu"].difference for row in found.rows if not row.baseline]
        assert [one.mean for one in apart if one] == pytest.approx([-1.0, 3.0, 4.5])


def test_without_a_seed_in_common_it_is_a_difference_of_means(folder: Folder) -> None:
    for key, seed in (("a", 1), ("a", 2), ("b", 3)):
        folder.add(f"k={key}", seed=seed, bleu=50.0 + seed)
    found = against(compare(Sweep.read(folder.root, "last")), "k=a")
    apart = found.rows[1].cells["bleu"].difference
    assert apart and (apart.mean, apart.pairs, apart.low) == (1.5, 0, None)
    assert Wording(found).difference("bleu", found.rows[1].cells["bleu"]) == "+1.5 unpaired"
    assert any(line.startswith("Unpaired") for line in Wording(found).legend())


def test_a_sweep_of_which_nothing_finished_is_a_table_all_the_same(folder: Folder) -> None:
    for key in "ab":
        folder.add(f"k={key}", status="failed", reason="no room")
    found = compare(Sweep.read(folder.root, "last"), targets=["bleu"])
    assert [row.lacking for row in found.rows] == [{("1",): "failed: no room"}] * 2
    assert not any(row.cells for row in found.rows)


def test_other_keys_make_replicates(crossed: Folder) -> None:
    sweep = Sweep.read(crossed.root, "last")
    found = compare(sweep, over=["seed", "objective.mse.weight"])
    assert found.keys == ("objective",) and [len(row.runs) for row in found.rows] == [6, 5]
    assert Wording(found).lacking(found.rows[1]) == ["seed 3 objective.mse.weight=1: failed: CUDA | is gone"]
    single = compare(sweep, over=[])
    assert single.keys[-1] == "seed" and len(single.rows) == 12
    only = compare(sweep, over=["objective", "objective.mse.weight", "seed"])
    assert only.keys == () and only.label(only.rows[0]) == "terms"
    with pytest.raises(UserError, match=r"over=fold: no key that was swept in terms; there is objective, .*seed"):
        compare(sweep, over=["fold"])


def test_what_makes_rows_incomparable_is_said_once(folder: Folder) -> None:
    for key, seed in itertools.product("ab", (1, 2)):
        folder.add(f"k={key}", seed=seed, bleu=50, code="other" if (key, seed) == ("b", 2) else "c")
    found = compare(Sweep.read(folder.root, "last"))
    assert len(found.targets) > 1 and sum("code was changed" in text for text in found.warnings) == 1


def test_jobs_of_which_nothing_is_known_are_no_row_s(folder: Folder) -> None:
    folder.add("k=a", bleu=50)
    folder.jobs = 3
    folder.add("k=b", bleu=50)
    found = compare(Sweep.read(folder.root, "last"))
    assert [row.wanted for row in found.rows] == [1, 1]
    assert found.warnings == (f"These jobs left no run: job 1 of {folder.sweep}, job 2 of {folder.sweep}.",)


def test_a_baseline_without_figures_is_told(folder: Folder) -> None:
    folder.add("k=a", status="failed", reason="no")
    folder.add("k=b", bleu=50)
    found = against(compare(Sweep.read(folder.root, "last")), "k=a")
    assert found.warnings == ("k=a has no figures to hold others against.",)


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("objectiv=[mse]", r"objectiv was not swept in terms, but objective, objective.mse.weight. Did you mean obj"),
        ("objective=[nce]", r"objective has the values \[mse\], \[mse,ce\]"),
        ("seed=1", r"seed is what is averaged over"),
        ("objective=[mse],fast", r"fast is no setting; expected key=value, such as baseline=objective=\[mse\]"),
        ("zzzz", r"no run of terms that counts; expected the id of one, or settings such as baseline=objective"),
    ],
)
def test_a_wrong_baseline_is_told(crossed: Folder, word: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        against(compare(Sweep.read(crossed.root, "last")), word)


def spoken(folder: Folder, key: str, seed: int, right: float, clips: int = 40) -> Path:
    """A run that said each word rightly with some chance, with scores as an evaluation makes them."""
    draw = random.Random(99)
    expected = [" ".join(draw.choices(WORDS, k=8)) for _ in range(clips)]
    scores: list[dict[str, Any]] = []
    lines: dict[str, list[dict[str, Any]]] = {}
    for code in ("deu_Latn", "eng_Latn"):
        draw = random.Random(f"{seed} {code} {right}")
        said = [" ".join(word if draw.random() < right else "und" for word in text.split()) for text in expected]
        ids = [f"c{n}" for n in range(clips)]
        made = score_translations(said, expected, lang=code, ids=ids, resamples=0)
        scores.append({**made["scores"], "n": clips, "ids_hash": made["ids_hash"], "language": code, "seen": True})
        lines[code] = [
            {"id": one, "hypothesis": text, "references": [meant]}
            for one, text, meant in zip(ids, said, expected, strict=True)
        ]
    run = folder.add(f"k={key}", seed=seed, metrics={"split": "test", "scores": scores, "retrieval_at_1": 50.0})
    (run / "hypotheses").mkdir()
    for code, rows in lines.items():
        (run / "hypotheses" / f"test.{code}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return run


def test_sentences_are_paired_where_they_lie_there(folder: Folder) -> None:
    for key, right in (("a", 0.6), ("b", 0.85), ("c", 0.6001)):
        for seed in (1, 2):
            spoken(folder, key, seed, right)
    plain = compare(Sweep.read(folder.root, "last"))
    test = PairedSentences((Bleu(), Chrf()), resamples=200, seed=1)
    found = against(plain, "k=a", test)
    better, alike = (row.cells["bleu"].difference for row in found.rows[1:])
    assert better and alike and better.sentences and alike.sentences and not test.remarks
    assert better.over_sentences and better.alone == 2 and better.sentences[0] < better.mean < better.sentences[1]
    assert not alike.over_sentences and alike.sentences[0] < alike.mean < alike.sentences[1]
    retrieval = found.rows[1].cells["retrieval_at_1"].difference
    assert retrieval and retrieval.sentences is None and retrieval.pairs == 2
    again = against(plain, "k=a", PairedSentences((Bleu(), Chrf()), resamples=200, seed=1))
    assert again.rows == found.rows


def test_another_signature_or_other_clips_are_not_paired(folder: Folder) -> None:
    spoken(folder, "a", 1, 0.6)
    spoken(folder, "b", 1, 0.8)
    spoken(folder, "c", 1, 0.8, clips=30)
    plain = compare(Sweep.read(folder.root, "last"), targets=["bleu"])
    test = PairedSentences((Bleu(tokenizer="char"),), resamples=50, seed=1)
    against(plain, "k=a", test)
    assert any("tok:13a" in text and "metrics.bleu here" in text for text in test.remarks)
    test = PairedSentences((Bleu(),), resamples=50, seed=1)
    found = against(plain, "k=a", test)
    apart = [row.cells["bleu"].difference for row in found.rows[1:]]
    assert [one is not None and one.sentences is not None for one in apart] == [True, False]
    assert [text for text in test.remarks if "cannot be compared" in text] and any("clips" in w for w in found.warnings)


def test_pairs_of_one_test_set_are_resampled_together() -> None:
    """Twice the same pair is one pair: its interval is as wide, not narrower by the root of two."""
    draw = random.Random(3)
    expected = [[" ".join(draw.choices(WORDS, k=8))] for _ in range(60)]
    said = [" ".join(w if draw.random() < 0.7 else "und" for w in text.split()) for (text,) in expected]
    worse = [" ".join(w if draw.random() < 0.8 else "und" for w in text.split()) for text in said]
    pair = (Bleu().measure(said, expected, "deu_Latn"), Bleu().measure(worse, expected, "deu_Latn"))
    once, twice = (mean_difference([pair] * n, resamples=300, seed=5) for n in (1, 2))
    assert twice == pytest.approx(once) and once[0] < pair[0].value - pair[1].value < once[1]
    assert mean_difference([pair, pair[::-1]], resamples=300, seed=5) == pytest.approx([0.0, 0.0], abs=1e-9)
