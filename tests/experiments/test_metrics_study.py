"""The study of metrics damages what it says it damages, and its correlations are those of an independent count."""

from __future__ import annotations

import json
import sys
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import yaml

from sonar_slt.data.corpora.toy.meaning import draw
from sonar_slt.data.corpora.toy.reading import SLOTS, read
from sonar_slt.data.corpora.toy.sentences import LANGUAGES, render
from sonar_slt.errors import UserError
from sonar_slt.metrics.metric import Metric
from sonar_slt.metrics.ngrams.bleu import Bleu
from sonar_slt.metrics.slots import Slots
from sonar_slt.metrics.words.wer import Wer

HOME = Path(__file__).parents[2] / "experiments" / "metrics"
sys.path += [str(HOME), str(HOME.parent)]
import agreement  # noqa: E402
import damage  # noqa: E402
import measure  # noqa: E402

QUICK: tuple[Metric, ...] = (Bleu(), Wer(), Slots())


@pytest.mark.parametrize("code", LANGUAGES)
def test_each_damage_does_to_the_meaning_what_it_says(code: str) -> None:
    given = damage.material(code, seed=1, size=25)
    for row, reference in enumerate(given.references):
        meant = read(reference, code)
        said = {name: read(texts[row], code) for name, texts in given.damaged.items()}
        assert read(given.others[row], code) == said["paraphrase"] == meant
        assert given.damaged["paraphrase"][row] not in (reference, given.others[row])
        assert said["one slot changed"] != meant and said["one slot changed"].complete
        assert said["another meaning"] != meant and said["another meaning"].complete
        assert sorted(given.damaged["words shuffled"][row].split()) == sorted(reference.split())
        assert len(given.damaged["a word dropped"][row].split()) == len(reference.split()) - 1
        main = [slot for slot in SLOTS[:5] if getattr(said["one slot changed"], slot) != getattr(meant, slot)]
        assert len(main) <= 1
    assert len(set(given.damaged["one constant sentence"])) == 2, "the first gets another's, or it would be right"
    assert given == damage.material(code, seed=1, size=25) != damage.material(code, seed=2, size=25)


def test_words_prefer_the_wrong_meaning_and_slots_the_right_one() -> None:
    found, titles = damage.falls(QUICK, seeds=(1, 2), size=10, encoder=None, second=False)
    assert titles == {"bleu": "BLEU", "wer": "WER", "slots": "slot accuracy"}
    assert all(rows.shape == (2, 10 * len(LANGUAGES)) for one in found.values() for rows in one.values())
    assert all((rows > -1e-9).all() for one in found.values() for rows in one.values()), "nothing beats the reference"
    chosen, told = damage.preferences(found), damage.shares(found)
    assert chosen["slots"]["value"] == 100 and chosen["bleu"]["value"] < 10 and chosen["wer"]["value"] < 20
    assert told["slots"]["paraphrase"]["share"] == 0 < told["slots"]["one slot changed"]["share"] < 40
    assert told["bleu"]["another meaning"] == {"points": pytest.approx(86, abs=6), "share": 100, "spread": 0}
    low, high = chosen["wer"]["interval"]
    assert low <= chosen["wer"]["value"] <= high


def by_hand(x: list[int], y: list[int]) -> float:
    """Tau-b, pair by pair."""
    same = other = only_x = only_y = 0
    for (a, b), (c, d) in combinations(zip(x, y, strict=True), 2):
        same += (a - c) * (b - d) > 0
        other += (a - c) * (b - d) < 0
        only_x += a != c and b == d
        only_y += a == c and b != d
    return float((same - other) / np.sqrt((same + other + only_x) * (same + other + only_y)))


def test_correlations_are_those_of_the_definition() -> None:
    random = Random(4)
    for _ in range(20):
        x, y = ([random.randrange(6) for _ in range(15)] for _ in range(2))
        one, two = np.array(x, dtype=float), np.array(y, dtype=float)
        assert agreement.kendall(one, two) == pytest.approx(by_hand(x, y))
        assert agreement.pearson(one, two) == pytest.approx(np.corrcoef(one, two)[0, 1])
    assert np.isnan(agreement.kendall(one, one * 0)) and np.isnan(agreement.pearson(one * 0, one))


def a_system(seed: int, quality: float) -> agreement.System:
    """A metric that is slot accuracy, one that is its opposite, and one that does not tell clips apart."""
    slots = np.random.default_rng(seed).integers(0, 9, size=30) * 10 + quality
    sentences = {"slots": slots, "same": slots * 2, "opposite": -slots, "blind": slots * 0}
    means = {name: float(values.mean()) for name, values in sentences.items()}
    return agreement.System("study: arm", seed, {name: {"deu_Latn": each} for name, each in sentences.items()}, means)


def test_agreement_is_one_or_minus_one_or_unknown() -> None:
    found = agreement.agreement([a_system(seed, 20.0 * seed) for seed in (1, 2, 3)], resamples=50)
    assert set(found) == {"same", "opposite"}, "what tells nothing apart has no rank"
    for name, value in (("same", 1), ("opposite", -1)):
        for key in ("segment_tau", "segment_r", "system_tau", "system_r"):
            assert found[name][key]["value"] == pytest.approx(value)
            assert found[name][key]["interval"] == pytest.approx([value, value])
        assert found[name]["seeds"] == pytest.approx(dict.fromkeys("123", value))


def a_run(root: Path, steps: int, seed: int, right: float) -> None:
    """A finished training whose clips say the right meaning that often, and another one else."""
    folder = root / f"2026-01-01_00-00-00-{len(list(root.glob('*'))):06d}_metrics_00000000"
    (folder / "hypotheses").mkdir(parents=True)
    words = [f"trainer.max_steps={steps}", f"seed={seed}", "experiment=study/toy", "name=metrics"]
    (folder / "overrides.yaml").write_text(yaml.safe_dump(words))
    random, scores = Random(f"{steps}-{seed}"), []
    meanings = [draw(random) for _ in range(12)]
    for code in LANGUAGES:
        lines = []
        for row, meaning in enumerate(meanings):
            said = meaning if random.random() < right else draw(random)
            line = {"id": f"clip-{row}", "language": code, "hypothesis": random.choice(render(said, code))}
            lines.append(line | {"references": render(meaning, code), "cosine": 0.5 + row / 100 + right / 10})
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / "hypotheses" / f"test.{code}.jsonl").write_text(text)
        scores.append({"language": code, "seen": True, "anchored": True, "bleu": {"value": 50.0}, "n": 12})
    record: dict[str, Any] = {
        "id": "00000000", "verb": "train", "name": "metrics", "status": "finished", "seed": seed,
        "started": "2026-01-01T00:00:00+00:00", "lock_hash": "aaaa",
        "metrics": {"split": "test", "scores": scores, "retrieval_at_1": 90.0},
    }  # fmt: skip
    (folder / "record.json").write_text(json.dumps(record))


def test_what_is_trained_already_is_not_trained_again(tmp_path: Path) -> None:
    everything = measure.missing(tmp_path / "nowhere")
    assert len(everything) == 12 and everything[0] == [
        "train", "experiment=study/toy", "name=metrics", "trainer.max_steps=50", "seed=1",
    ]  # fmt: skip
    a_run(tmp_path, 50, 1, right=0.5)
    a_run(tmp_path, 400, 3, right=0.5)
    left = measure.missing(tmp_path)
    assert [words for words in everything if words not in left] == [everything[0], everything[-1]]


def test_the_whole_study_on_small_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "METRICS", QUICK)
    for steps, right in ((50, 0.1), (100, 0.5), (400, 0.9)):
        a_run(tmp_path / "runs", steps, 1, right)
    words = ["--runs", str(tmp_path / "runs"), "--space", str(tmp_path), "--sentences", "3", "--clips", "8"]
    assert measure.main(words, tmp_path) == 0
    said = capsys.readouterr().out
    assert "Agreement: 3 systems, 8 clips" in said and "No sentence vectors" in said
    results = json.loads((tmp_path / "results.json").read_text())
    assert set(results["agreement"]["metrics"]["all references"]) == {"bleu", "wer", "cosine"}
    assert results["agreement"]["metrics"]["all references"]["bleu"]["segment_tau"]["value"] > 0.7
    table, drawn = (tmp_path / "table.md").read_text(), (tmp_path / "plot.svg").read_text()
    assert table.count("\n| BLEU |") == 2 and "BLEURT and BERTScore are absent" in table
    assert drawn.startswith("<svg") and drawn.count("<circle") == 3 and "slot accuracy" in drawn
    with pytest.raises(UserError, match="expected 2 or more"):
        measure.main(["--clips", "1"], tmp_path)
    with pytest.raises(UserError, match="No study 'quarters'"):
        measure.main(["--studies", "quarters"], tmp_path)
