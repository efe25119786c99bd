"""Text scores are sacrebleu's own to the last digit, and intervals come from the same statistics."""

import hashlib
import importlib.util
import random
import subprocess
import sys
import time

import numpy as np
import pytest
import sacrebleu

from sonar_slt.errors import UserError
from sonar_slt.metrics import score_translations
from sonar_slt.metrics.intervals import bootstrap
from sonar_slt.metrics.ngrams.bleu import bleu_scores, tokenizer
from sonar_slt.metrics.ngrams.chrf import chrf_scores

FORMULAS = {"bleu": bleu_scores, "chrf": chrf_scores}
SENTENCES = {
    "deu_Latn": "Morgen schneit es im Norden, aber an der Küste scheint die Sonne.",
    "eng_Latn": "Tomorrow it won't rain in the mountains; lowest temperature: -3 degrees.",
    "rus_Cyrl": "Завтра на севере возможен снег, но на побережье будет солнечно.",
    "tur_Latn": "Yarın kuzeyde kar yağabilir, ama kıyıda güneş parlayacak.",
    "zho_Hans": "明天北方可能下雪，但海边有阳光。",
}


def corpus(lang: str, n: int = 40, seed: int = 1) -> tuple[list[str], list[list[str]]]:
    """Sentences with one to three references each, and hypotheses with words changed, lost and moved."""
    rng = random.Random(seed)
    words = SENTENCES[lang].split() if " " in SENTENCES[lang] else list(SENTENCES[lang])
    glue = " " if " " in SENTENCES[lang] else ""
    hypotheses, references = [], []
    for number in range(n):
        line = words.copy()
        rng.shuffle(line)
        references.append([glue.join(line), *(glue.join(rng.sample(line, len(line))) for _ in range(number % 3))])
        line[rng.randrange(len(line))] = rng.choice(words)
        hypotheses.append(glue.join(line[: rng.randrange(2, len(line) + 1)]))
    return hypotheses, references


def streams(references: list[list[str]]) -> list[list[str | None]]:
    longest = max(len(given) for given in references)
    return [[given[i] if i < len(given) else None for given in references] for i in range(longest)]


@pytest.mark.parametrize("lang", SENTENCES)
@pytest.mark.parametrize("several", [False, True])
def test_values_and_signatures_are_those_of_sacrebleu(lang: str, several: bool) -> None:
    hypotheses, references = corpus(lang)
    given: list = references if several else [each[0] for each in references]
    result = score_translations(hypotheses, given, lang=lang)
    expected = streams(references if several else [each[:1] for each in references])
    bleu = sacrebleu.BLEU(tokenize="zh" if lang == "zho_Hans" else "13a")
    chrf = sacrebleu.CHRF()
    for name, metric in (("bleu", bleu), ("chrf", chrf)):
        assert result["scores"][name]["value"] == metric.corpus_score(hypotheses, expected).score
        assert result["scores"][name]["signature"] == str(metric.get_signature())
        low, high = result["scores"][name]["interval"] or (0, 0)
        assert 0 < low < result["scores"][name]["value"] < high < 100
    assert result["n"] == 40 and result["language"] == lang and result["references"] == "human"
    assert ("nrefs:var" if several else "nrefs:1") in result["scores"]["bleu"]["signature"]


@pytest.mark.parametrize("n", [1, 3, 30])
def test_vectorised_formulas_are_those_of_sacrebleu(n: int) -> None:
    hypotheses, references = corpus("deu_Latn", n)
    hypotheses[0] = ""
    rng = np.random.default_rng(0)
    for name, metric in (("bleu", sacrebleu.BLEU()), ("chrf", sacrebleu.CHRF())):
        stats = np.asarray(metric._extract_corpus_statistics(hypotheses, streams(references)), dtype=float)
        sums = rng.integers(0, 3, size=(200, n)) @ stats
        expected = [metric._compute_score_from_stats(row.astype(int).tolist()).score for row in sums]
        assert np.allclose(FORMULAS[name](sums), expected, rtol=0, atol=1e-9)


def test_the_interval_is_as_wide_as_that_of_sacrebleu() -> None:
    hypotheses, references = corpus("eng_Latn", 200)
    result = score_translations(hypotheses, references, lang="eng_Latn")
    metric = sacrebleu.BLEU()
    theirs = metric.corpus_score(hypotheses, streams(references), n_bootstrap=1000)
    low, high = result["scores"]["bleu"]["interval"] or (0, 0)
    assert (high - low) / 2 == pytest.approx(theirs._ci, rel=0.15)


def test_a_seed_gives_the_same_interval_and_blocks_do_not_matter() -> None:
    hypotheses, references = corpus("rus_Cyrl")
    first, again, other = (
        score_translations(hypotheses, references, lang="rus_Cyrl", seed=seed)["scores"]["bleu"]["interval"]
        for seed in (1, 1, 2)
    )
    assert first == again != other
    assert (
        score_translations(hypotheses, references, lang="rus_Cyrl", resamples=0)["scores"]["bleu"]["interval"] is None
    )
    assert bootstrap({}, 0, 1) == {}


def test_intervals_of_2500_sentences_take_under_three_seconds() -> None:
    rng = np.random.default_rng(0)
    metrics = {
        "bleu": (rng.integers(5, 20, size=(2500, 10)).astype(float), FORMULAS["bleu"]),
        "chrf": (rng.integers(5, 20, size=(2500, 18)).astype(float), FORMULAS["chrf"]),
    }
    begin = time.process_time()  # on one core
    bootstrap(metrics, 1000, 1)
    assert time.process_time() - begin < 3


def test_perfect_empty_shuffled_and_constant_systems() -> None:
    _, references = corpus("deu_Latn")
    first = [each[0] for each in references]
    perfect = score_translations(first, references, lang="deu_Latn")["scores"]
    assert perfect["bleu"]["value"] == pytest.approx(100) and perfect["chrf"]["value"] == pytest.approx(100)
    assert perfect["bleu"]["interval"] == pytest.approx([100, 100])
    empty = score_translations([""] * 40, references, lang="deu_Latn")
    assert empty["n"] == 40 and {score["value"] for score in empty["scores"].values()} == {0.0}
    for system in (first[1:] + first[:1], [first[0]] * 40):
        assert score_translations(system, first, lang="deu_Latn")["scores"]["bleu"]["value"] < 60


def test_an_empty_hypothesis_lowers_the_score() -> None:
    _, references = corpus("eng_Latn")
    system = ["", *(each[0] for each in references[1:])]
    result = score_translations(system, references, lang="eng_Latn")
    assert result["n"] == 40 and result["scores"]["bleu"]["value"] < 100


def test_any_right_answer_is_as_good_as_the_first() -> None:
    references = [["Es regnet heute im Norden.", "Heute regnet es im Norden."]] * 5
    for number in (0, 1):
        result = score_translations([references[0][number]] * 5, references, lang="deu_Latn")
        assert result["scores"]["bleu"]["value"] == pytest.approx(100)


def test_the_hash_is_of_ids_in_order() -> None:
    one = score_translations(["a", "b"], ["a", "b"], lang="eng_Latn", ids=["x", "y"])
    assert one["ids_hash"] == hashlib.sha256(b"x\ny").hexdigest()
    assert one["ids_hash"] != score_translations(["b", "a"], ["b", "a"], lang="eng_Latn", ids=["y", "x"])["ids_hash"]
    bare = [score_translations([text, "b"], ["a", "b"], lang="eng_Latn")["ids_hash"] for text in "ac"]
    assert bare[0] == bare[1] != score_translations(["a", "b"], ["a", "c"], lang="eng_Latn")["ids_hash"]


def test_detached_periods_are_scored_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    score_translations(["Es regnet ."] * 120, ["Es regnet ."] * 120, lang="deu_Latn", resamples=0)
    assert not caplog.records


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: score_translations(["a"], ["a", "b"], lang="eng_Latn"), "1 hypotheses .* 2"),
        (lambda: score_translations([], [], lang="eng_Latn"), "nothing to score"),
        (lambda: score_translations(["a"], ["a"], lang="german"), "deu_Latn"),
        (lambda: score_translations(["a"], [[]], lang="eng_Latn"), "no reference"),
        (lambda: score_translations("a", ["a"], lang="eng_Latn"), "not one string"),
        (lambda: score_translations([1], ["a"], lang="eng_Latn"), "must be text"),
        (lambda: score_translations(["a"], ["a"], lang="eng_Latn", ids=[]), "1 ids, not 0"),
        (lambda: score_translations(["a", "b"], ["a", "b"], lang="eng_Latn", ids=["x", "x"]), "'x' occurs more often"),
    ],
)
def test_wrong_input_is_answered(call, message: str) -> None:
    with pytest.raises(UserError, match=message):
        call()


@pytest.mark.parametrize(("lang", "module", "extra"), [("jpn_Jpan", "MeCab", "ja"), ("kor_Hang", "mecab_ko", "ko")])
def test_a_missing_tokenizer_names_its_extra(lang: str, module: str, extra: str) -> None:
    if importlib.util.find_spec(module):
        assert tokenizer(lang).endswith("-mecab")
    else:
        with pytest.raises(UserError, match=rf"sonar-slt\[{extra}\]"):
            score_translations(["a"], ["a"], lang=lang)


def test_text_scores_load_no_torch() -> None:
    code = (
        "import sys; from sonar_slt.metrics import score_translations\n"
        "score_translations(['a'], ['a'], lang='eng_Latn')\n"
        "print(*({'torch', 'hydra', 'omegaconf', 'wandb', 'pytorch_lightning'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
