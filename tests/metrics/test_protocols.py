"""Protocols of older papers against a slow, plain count, and what each does to the text before."""

from __future__ import annotations

import hashlib
import math
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from sacrebleu import corpus_bleu

from sonar_slt.errors import UserError
from sonar_slt.metrics.protocols import CslDaily, How2sign, Phoenix14t
from sonar_slt.metrics.protocols.phoenix14t import with_stop

FORECAST = "am Sonntag Regen im norden süden Wind weht schwach und sonst bleibt es Trocken ."
WORDS = FORECAST.split()


def sentences(seed: int, n: int = 40, longest: int = 9) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(1, longest))) for _ in range(n)]


def grams(tokens: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(tokens[start:] for start in range(order)), strict=False))


def plain_bleu(said: list[list[str]], wanted: list[list[list[str]]], order: int) -> float:
    """BLEU as its paper has it, a floor of 0.01 matches, over those orders that the corpus is long enough for."""
    logs = []
    for n in range(1, order + 1):
        right = total = 0
        for one, every in zip(said, wanted, strict=True):
            most: Counter[tuple[str, ...]] = Counter()
            for each in every:
                most |= grams(each, n)
            right += (grams(one, n) & most).total()
            total += grams(one, n).total()
        if total:
            logs.append(math.log((right or 0.01) / total))
    length = sum(map(len, said))
    nearest = sum(
        min((abs(len(each) - len(one)), len(each)) for each in every)[1]
        for one, every in zip(said, wanted, strict=True)
    )
    return 100 * min(1.0, math.exp(1 - nearest / length)) * math.exp(sum(logs) / len(logs))


def plain_rouge(one: list[str], every: list[list[str]]) -> float:
    def common(a: list[str], b: list[str]) -> int:
        table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
        for i, x in enumerate(a):
            for j, y in enumerate(b):
                table[i + 1][j + 1] = table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
        return table[-1][-1]

    precision = max(common(one, each) / len(one) for each in every)
    recall = max(common(one, each) / len(each) for each in every)
    return 2.44 * precision * recall / (recall + 1.44 * precision) if precision else 0.0


@pytest.mark.parametrize("references", [1, 3])
def test_phoenix_is_what_a_plain_count_says(references: int) -> None:
    said = sentences(1)
    wanted = [list(every) for every in zip(*(sentences(2 + k) for k in range(references)), strict=True)]
    found = Phoenix14t().scores(said, wanted)

    def cut(text: str, stop: bool) -> list[str]:
        tokens = text.lower().split(" ")
        return [*tokens[: -1 if tokens[-1] == "." else None], "."] if stop else tokens

    for stop, names in ((True, [f"bleu_{n}" for n in range(1, 5)]), (False, ["bleu_4_bare"])):
        one, every = [cut(text, stop) for text in said], [[cut(text, stop) for text in given] for given in wanted]
        for name in names:
            assert found[name]["value"] == pytest.approx(plain_bleu(one, every, int(name[5])), abs=1e-9)
        rouge = 100 * sum(map(plain_rouge, one, every)) / len(one)
        assert found["rouge_l" if stop else "rouge_l_bare"]["value"] == pytest.approx(rouge, abs=1e-9)
    assert found["bleu_4"]["value"] != found["bleu_4_bare"]["value"]
    assert f"nrefs:{references}|case:lc" in found["bleu_2"]["signature"] and "order:2" in found["bleu_2"]["signature"]


@pytest.mark.parametrize(
    ("text", "changed"),
    [("Regen im Norden", "regen im norden ."), ("Regen  im Norden.", "regen im norden ."), ("", ""), (" \t", ""),
     ("regen .", "regen ."), ("Regen . ", "regen ."), (".", "."), ("10.5 Grad", "10.5 grad .")],
)  # fmt: skip
def test_every_sentence_ends_in_one_stop_and_an_empty_one_stays_empty(text: str, changed: str) -> None:
    assert with_stop(text) == changed


def test_chinese_is_cut_into_characters() -> None:
    said, wanted = ["我 明天去 3楼", "你好吗", ""], [["我明天去3楼"], ["他们好吗"], ["雨"]]
    found = CslDaily().scores(said, wanted)
    one, every = [list(text.replace(" ", "")) for text in said], [[list(given[0])] for given in wanted]
    for order in range(1, 5):
        assert found[f"bleu_{order}"]["value"] == pytest.approx(plain_bleu(one, every, order), abs=1e-9)
    rouge = 100 * sum(map(plain_rouge, one[:2], every[:2])) / 3
    assert found["rouge_l"]["value"] == pytest.approx(rouge, abs=1e-9) and "level:char" in found["rouge_l"]["signature"]


def test_reduced_bleu_drops_words_and_never_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_bytes(b"the\r\nI'm\nof\n")
    said = ["The top of the lid, please!", "I’m the", "do cut off the top of it", ""]
    wanted = [["the TOP of a lid please."], ["The, the!"], ["Cut off the top of it."], ["of"]]
    found = How2sign(words=str(file)).scores(said, wanted)
    kept = ["top lid please", "", "do cut off top it", ""]
    assert [How2sign(words=str(file)).reduced(text) for text in said] == kept
    expected = corpus_bleu(kept, [["top a lid please", "", "cut off top it", ""]])
    assert found["reduced_bleu"]["value"] == pytest.approx(expected.score) and expected.score > 0
    assert found["reduced_bleu"]["empty_references"] == 2
    assert hashlib.sha256(file.read_bytes()).hexdigest()[:16] in found["reduced_bleu"]["signature"]
    lower = corpus_bleu(said, [[text for (text,) in wanted]], lowercase=True)
    assert found["bleu_lowercase"]["value"] == pytest.approx(lower.score)
    assert How2sign().scores(said, wanted).keys() == {"bleu_lowercase"}


def test_a_list_of_words_must_be_readable(tmp_path: Path) -> None:
    (tmp_path / "blank.txt").write_text("\n ,\n")
    (tmp_path / "latin.txt").write_bytes("über\n".encode("latin-1"))
    for name, says in (("none.txt", "cannot be read"), ("blank.txt", "holds no word"), ("latin.txt", "not utf-8")):
        with pytest.raises(UserError, match=f"protocol.words=.*{says}"):
            How2sign(words=str(tmp_path / name))


@pytest.mark.parametrize("protocol", [Phoenix14t(), CslDaily(), How2sign()])
def test_a_perfect_an_empty_and_a_foreign_system(protocol: Phoenix14t | CslDaily | How2sign) -> None:
    said = sentences(5, longest=12)
    wanted = [[text] for text in said]
    perfect = {name: score["value"] for name, score in protocol.scores(said, wanted).items()}
    assert all(value == pytest.approx(100) for value in perfect.values())
    none = protocol.scores([""] * len(said), wanted)
    assert all(score["value"] == 0 for score in none.values())
    foreign = protocol.scores(["ξ"] * len(said), wanted)
    assert all(score["value"] == 0 for score in foreign.values() if "stop:added" not in score["signature"])
    # A full stop that every sentence is given is right in every sentence.
    assert all(score["value"] > 0 for score in foreign.values() if "stop:added" in score["signature"])
