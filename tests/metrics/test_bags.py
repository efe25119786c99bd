"""The statistics of BLEU and chrF are those of sacrebleu, number by number, for any text."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from sonar_slt.metrics.metric import Metric, streams
from sonar_slt.metrics.ngrams import bags
from sonar_slt.metrics.ngrams.bags import Texts
from sonar_slt.metrics.ngrams.bleu import Bleu
from sonar_slt.metrics.ngrams.chrf import Chrf

WORDS = st.sampled_from(["der", "Wind", "weht", "3.5", "(stark),", "雪", "が", "降る", "İzmir’de", "", "-", "\t", "😀"])
LINES = st.lists(WORDS, max_size=9).map(" ".join)
CORPORA = st.lists(st.tuples(LINES, st.lists(LINES, min_size=1, max_size=3)), min_size=1, max_size=6)
PAIRS = [
    (Bleu(), BLEU(force=True)),
    (Bleu(tokenizer="char"), BLEU(tokenize="char", force=True)),
    (Chrf(), CHRF()),
    (Chrf(words=2), CHRF(word_order=2)),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=lambda metric: str(getattr(metric, "title", "")))
@settings(max_examples=30)
@given(corpus=CORPORA)
@example(corpus=[("", [""])])
@example(corpus=[("a a a b", ["a b a", "a a"]), ("", ["x"]), ("x", [""])])
def test_every_number_is_the_same(ours: Metric, theirs: BLEU | CHRF, corpus: list[tuple[str, list[str]]]) -> None:
    hypotheses, references = [said for said, _ in corpus], [given for _, given in corpus]
    found = ours.measure(hypotheses, references, "deu_Latn")
    expected = theirs._extract_corpus_statistics(hypotheses, streams(references))
    assert found.statistics.tolist() == expected
    assert found.value == theirs.corpus_score(hypotheses, streams(references)).score
    assert found.signature == str(theirs.get_signature())


@pytest.mark.parametrize(("ours", "theirs"), [(Bleu(), BLEU(effective_order=True, force=True)), (Chrf(), CHRF())])
@settings(max_examples=30)
@given(corpus=CORPORA)
def test_a_sentence_scores_what_sacrebleu_says_of_it(
    ours: Metric, theirs: BLEU | CHRF, corpus: list[tuple[str, list[str]]]
) -> None:
    found = ours.measure([said for said, _ in corpus], [given for _, given in corpus], "deu_Latn")
    expected = [theirs.sentence_score(said, given).score for said, given in corpus]
    assert found.sentences.tolist() == pytest.approx(expected, abs=1e-9)


THREE_LINES = st.lists(st.text(alphabet="abcé雪", max_size=12), min_size=3, max_size=3)


@settings(max_examples=30)
@given(texts=st.lists(THREE_LINES, min_size=2, max_size=4))
def test_bags_count_what_a_counter_counts(texts: list[list[str]]) -> None:
    found = Texts.of_characters(texts)
    for order, each in enumerate(found.bags(4), 1):
        counted = [[Counter(line[i : i + order] for i in range(len(line) - order + 1)) for line in t] for t in texts]
        for text, bag in zip(counted, each, strict=True):
            assert bag.sums(3).tolist() == [sum(line.values()) for line in text]
            assert bag.shared(each[0]).sums(3).tolist() == [
                (a & b).total() for a, b in zip(text, counted[0], strict=True)
            ]
            assert bag.either(each[0]).sums(3).tolist() == [
                (a | b).total() for a, b in zip(text, counted[0], strict=True)
            ]


def test_numbers_that_would_not_fit_are_given_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    lines = ["".join(map(chr, rng.integers(200, 400, 60))) for _ in range(20)]
    plain = Chrf().measure(lines[:10], [[line] for line in lines[10:]], "deu_Latn").statistics
    monkeypatch.setattr(bags, "ROOM", 200 * 200 * 10)  # two characters fit, a third does not
    assert np.array_equal(Chrf().measure(lines[:10], [[line] for line in lines[10:]], "deu_Latn").statistics, plain)
