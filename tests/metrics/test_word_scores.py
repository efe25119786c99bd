"""ROUGE-L, WER, token F1 and TER against sacrebleu's own command and against plain computations, in five languages."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import sacrebleu
import yaml

from sonar_slt.config.build import build
from sonar_slt.config.compose import floorplan
from sonar_slt.config.location import conf_folder
from sonar_slt.errors import UserError
from sonar_slt.metrics.metric import Metric, streams
from sonar_slt.metrics.ngrams.bleu import Bleu
from sonar_slt.metrics.ngrams.chrf import Chrf
from sonar_slt.metrics.words.rouge_l import RougeL, common_subsequence, rouge_l
from sonar_slt.metrics.words.ter import Ter
from sonar_slt.metrics.words.token_f1 import TokenF1, token_f1
from sonar_slt.metrics.words.wer import Wer, edits
from tests.metrics.forecasts import SENTENCES, TOKENIZERS, is_spaced, said

METRICS: list[Metric] = [Bleu(), Chrf(), Chrf(words=2), Ter(), RougeL(), Wer(), TokenF1()]
each_language = pytest.mark.parametrize("lang", SENTENCES)
each_metric = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)


def cut(text: str, lang: str) -> list[str]:
    """Words as the test cuts them: no digits or foreign letters stand in the corpora."""
    return re.findall(r"\w+(?:[-'’]\w+)*|[^\w\s]", text) if is_spaced(lang) else [c for c in text if not c.isspace()]


def plain_subsequence(a: list[str], b: list[str]) -> int:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, left in enumerate(a):
        for j, right in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if left == right else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


def plain_edits(a: list[str], b: list[str]) -> int:
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        before, row = row, [i]
        for j, right in enumerate(b, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (left != right)))
    return row[-1]


def plain_f1(common: int, a: int, b: int) -> float:
    return 2 * common / (a + b) if common else 0.0


def plain(name: str, hypotheses: list[str], references: list[list[str]], lang: str) -> float:
    """A score of words, computed in the plainest way."""
    rows = [
        (cut(text, lang), [cut(one, lang) for one in given]) for text, given in zip(hypotheses, references, strict=True)
    ]
    if name == "wer":
        nearest = [min((plain_edits(mine, one), -len(one)) for one in given) for mine, given in rows]
        return -100 * sum(made for made, _ in nearest) / sum(length for _, length in nearest)
    shared = {
        "rouge_l": plain_subsequence,
        "token_f1": lambda mine, one: (Counter(mine) & Counter(one)).total(),
    }[name]
    scores = [max(plain_f1(shared(mine, one), len(mine), len(one)) for one in given) for mine, given in rows]
    return 100 * sum(scores) / len(scores)


def systems(lang: str, most: int = 3) -> dict[str, tuple[list[str], list[list[str]]]]:
    """Systems that translate in some way, with at most so many references for each sentence."""
    hypotheses, references = said(lang, 12)
    references = [given[:most] for given in references]
    first = [given[0] for given in references]
    return {
        "perfect": (first, references),
        "empty": ([""] * len(first), references),
        "shuffled": (first[1:] + first[:1], references),
        "constant": ([SENTENCES[lang][0]] * len(first), references),
        "worse": (hypotheses, references),
    }


@each_language
def test_values_and_signatures_are_those_of_the_command_sacrebleu(lang: str, tmp_path: Path) -> None:
    if lang == "jpn_Jpan":
        pytest.importorskip("MeCab")
    hypotheses, references = said(lang)
    references = [(given * 2)[:2] for given in references]
    files = [tmp_path / name for name in ("said", "one", "two")]
    for file, lines in zip(files, [hypotheses, *zip(*references, strict=True)], strict=True):
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    words = 2 if is_spaced(lang) else 0
    found = [metric.measure(hypotheses, references, lang) for metric in (Bleu(), Chrf(words=words), Ter())]
    command = [sys.executable, "-m", "sacrebleu", *map(str, files[1:]), "-i", str(files[0]), "-w", "6"]
    command += ["-m", "bleu", "chrf", "ter", "--chrf-word-order", str(words), "-tok", TOKENIZERS.get(lang, "13a")]
    command += [] if is_spaced(lang) else ["--ter-normalized", "--ter-asian-support"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    expected = {entry["name"]: entry for entry in json.loads(told)}
    assert expected.keys() == {"BLEU", "chrF2++" if words else "chrF2", "TER"}
    for mine, theirs in zip(found, expected.values(), strict=True):
        assert mine.value == pytest.approx(theirs["score"], abs=6e-7)
        assert mine.signature == theirs["signature"]


@each_language
def test_values_are_those_of_plain_computations(lang: str) -> None:
    for metric in (RougeL(), Wer(), TokenF1()):
        for name, (hypotheses, references) in systems(lang).items():
            found = metric.measure(hypotheses, references, lang).value
            assert found == pytest.approx(plain(metric.name, hypotheses, references, lang), abs=1e-9), (metric, name)


@each_language
def test_perfect_empty_shuffled_and_constant_systems(lang: str) -> None:
    if lang == "jpn_Jpan":
        pytest.importorskip("MeCab")
    for metric in METRICS:
        values = {name: metric.measure(*sides, lang).value for name, sides in systems(lang, 1).items()}
        best, worst = (100, 0) if metric.higher_is_better else (0, 100)
        assert values["perfect"] == pytest.approx(best) and values["empty"] == pytest.approx(worst), metric.name
        for name in ("shuffled", "constant", "worse"):
            between = 0 < values[name] < 100 if metric.higher_is_better else values[name] > 0
            assert between, (metric.name, name)


@each_metric
def test_statistics_add_up_and_order_does_not_matter(metric: Metric) -> None:
    hypotheses, references = said("deu_Latn", 12)
    found = metric.measure(hypotheses, references, "deu_Latn")
    assert len(found.statistics) == len(found.sentences) == len(hypotheses)
    assert found.formula(found.statistics.sum(0, keepdims=True))[0] == pytest.approx(found.value, abs=1e-9)
    order = random.Random(0).sample(range(len(hypotheses)), len(hypotheses))
    moved = metric.measure([hypotheses[i] for i in order], [references[i] for i in order], "deu_Latn")
    assert moved.value == pytest.approx(found.value, abs=1e-9)
    assert np.array_equal(moved.sentences, found.sentences[order])
    wide = metric.measure([f"  {text} " for text in hypotheses], references, "deu_Latn")
    assert np.array_equal(wide.statistics, found.statistics)


@each_metric
def test_each_sentence_has_a_score_of_its_own(metric: Metric) -> None:
    hypotheses, references = said("eng_Latn", 8)
    found = metric.measure(hypotheses, references, "eng_Latn")
    if metric.name != "bleu":  # of a sentence over the orders that it is long enough for: no corpus score of one
        for row, (text, given) in enumerate(zip(hypotheses, references, strict=True)):
            assert found.sentences[row] == pytest.approx(metric.measure([text], [given], "eng_Latn").value)


@pytest.mark.parametrize("metric", [RougeL(), TokenF1(), Bleu(), Chrf()], ids=lambda metric: metric.name)
def test_any_right_answer_is_as_good_as_the_first(metric: Metric) -> None:
    references = [["Es regnet heute im Norden.", "Heute regnet es im Norden."]] * 3
    for number in (0, 1):
        assert metric.measure([references[0][number]] * 3, references, "deu_Latn").value == pytest.approx(100)


def test_bits_count_as_tables_do() -> None:
    rng = random.Random(3)
    for _ in range(400):
        a, b = ([rng.choice("abcd") for _ in range(rng.choice([0, 1, 5, 30, 90]))] for _ in range(2))
        assert common_subsequence(a, b) == plain_subsequence(a, b)
        assert edits(a, b) == plain_edits(a, b)


def test_scores_of_words_in_any_script() -> None:
    assert rouge_l("für alle", "für alle") == 100 and rouge_l("fur alle", "für alle") == 50
    assert rouge_l("明天北方下雪", "明天北方下雪") == token_f1("明天北方下雪", "明天北方下雪") == 100
    assert rouge_l("明天下雪", "明天下雨", lang="zho_Hans") == 75
    assert rouge_l("Regen heute", "heute Regen") == 50 and token_f1("Regen heute", "heute Regen") == 100
    assert token_f1("ja ja nein", "ja doch") == pytest.approx(40)
    assert rouge_l(["a b", "c"], [["x", "a b"], ["d"]]) == 50
    assert rouge_l("a b", ["x", "a b"]) == 100
    assert rouge_l("", "") == token_f1("", "") == 100 and rouge_l("", "a") == rouge_l("a", "") == 0


def test_recall_weighs_more_with_a_larger_beta() -> None:
    # Of 4 words 2 are right, of 2 wanted both are there: precision 1/2, recall 1.
    assert RougeL(beta=2).measure(["a b c d"], [["a b"]], "eng_Latn").value == pytest.approx(500 * 0.5 / 3)
    with pytest.raises(UserError, match=r"metrics\.rouge_l\.beta=0: expected a number above 0"):
        RougeL(beta=0)


def test_case_and_punctuation_count_unless_they_are_told_not_to() -> None:
    sides = ["Morgen Regen"], [["morgen regen."]]
    for kind in (RougeL, TokenF1):
        assert kind().measure(*sides, "deu_Latn").value == 0
        assert kind(cased=False).measure(*sides, "deu_Latn").value == pytest.approx(80)
        lenient = kind(cased=False, punctuation=False).measure(*sides, "deu_Latn")
        assert lenient.value == 100 and "case:lc" in lenient.signature and "punct:no" in lenient.signature
    assert Wer().measure(*sides, "deu_Latn").value == 100
    assert Wer(cased=False, punctuation=False).measure(*sides, "deu_Latn").value == 0


def test_error_rates_take_the_nearest_reference_and_may_exceed_100() -> None:
    found = Wer().measure(["a b", "x y z"], [["a b c d", "a c"], ["x"]], "eng_Latn")
    assert found.statistics.tolist() == [[1, 2], [2, 1]] and found.value == 100
    assert found.sentences.tolist() == [50, 200]
    assert Wer().measure(["a", ""], [[""], [""]], "eng_Latn").sentences.tolist() == [100, 0]
    assert Wer().measure(["a b"], [["a", "a b c"]], "eng_Latn").statistics.tolist() == [[1, 3]]


@pytest.mark.parametrize("lang", ["deu_Latn", "zho_Hans"])
@pytest.mark.parametrize("asian", [None, True, False])
def test_ter_has_the_options_of_sacrebleu(lang: str, asian: bool | None) -> None:
    hypotheses, references = said(lang)
    options = {"no_punct": True, "case_sensitive": True}
    found = Ter(asian_support=asian, **options).measure(hypotheses, references, lang)
    wide = lang == "zho_Hans" and asian is None
    theirs = sacrebleu.TER(normalized=wide, asian_support=bool(asian) or wide, **options)
    assert found.value == theirs.corpus_score(hypotheses, streams(references)).score
    assert found.signature == str(theirs.get_signature())


def test_scores_of_words_are_quick() -> None:
    hypotheses, references = said("deu_Latn", 2500)
    for metric in (RougeL(), Wer(), TokenF1()):
        metric.measure(hypotheses[:1], references[:1], "deu_Latn")
        begin = time.process_time()  # other tests keep the machine busy
        metric.measure(hypotheses, references, "deu_Latn")
        assert time.process_time() - begin < 1.5, metric.name


def test_wrong_input_is_answered() -> None:
    for hypotheses, references, message in [
        (["a"], ["a", "b"], "1 hypotheses cannot be scored against references for 2"),
        (["a", "b"], "a b", "references of their own"),
        ([], [], "nothing to score"),
        (["a"], [[]], "at least one reference"),
        ("a", [], "at least one reference"),
    ]:
        with pytest.raises(UserError, match=message):
            rouge_l(hypotheses, references)
    with pytest.raises(UserError, match="deu_Latn"):
        token_f1("a", "b", lang="german")


@pytest.mark.conf
@pytest.mark.parametrize("name", ["bleu", "chrf", "chrf_pp", "ter", "rouge_l", "wer", "token_f1"])
def test_a_yaml_builds_the_score_of_its_name(name: str) -> None:
    assert name in floorplan().options("metrics")
    text = (conf_folder() / "metrics" / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.startswith(f"# @package metrics.{name}\n")
    metric = build(yaml.safe_load(text))
    assert metric.name == name
    assert metric.measure(["a b c d e"], [["a b c d e"]], "eng_Latn").value == pytest.approx(
        100 if metric.higher_is_better else 0
    )
