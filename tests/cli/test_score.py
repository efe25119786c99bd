"""`sonar-slt score`: the numbers of sacrebleu's own command, quickly and without torch; wrong input in one sentence."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sacrebleu import corpus_bleu, corpus_chrf, corpus_ter

from sonar_slt.cli import main
from tests.runs.hypotheses.test_systems import lines, spoken, write

Score = Callable[..., int]
FORECAST = "am Sonntag Regen im Norden, Süden Wind weht schwach und sonst bleibt es trocken."
WORDS = FORECAST.split()


@pytest.fixture
def score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Score:
    """The verb in a folder with a good pair of files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    said, expected = corpus(30)
    write("said.txt", "\n".join(said) + "\n")
    write("expected.txt", "\n".join(expected) + "\n")
    return lambda *words: main(["score", *words])


def corpus(n: int, seed: int = 1) -> tuple[list[str], list[str]]:
    draw = random.Random(seed)
    expected = [" ".join(draw.choices(WORDS, k=draw.randint(4, 14))) for _ in range(n)]
    said = [" ".join(word if draw.random() < 0.7 else draw.choice(WORDS) for word in one.split()) for one in expected]
    return said, expected


FILES = ("hypotheses=said.txt", "references=expected.txt", "language=deu_Latn")


def test_scores_are_those_of_sacrebleu_and_are_written(score: Score, capsys: pytest.CaptureFixture[str]) -> None:
    said, expected = corpus(30)
    write("second.txt", "\n".join(expected[::-1]))
    words = ("references=[expected.txt,second.txt]", "metrics=[bleu,chrf,ter]", "resamples=50", "output=deep/s.json")
    assert score("hypotheses=said.txt", "language=deu_Latn", *words) == 0
    made = json.loads(Path("deep/s.json").read_text())
    streams = [expected, expected[::-1]]
    for name, theirs in (("bleu", corpus_bleu), ("chrf", corpus_chrf), ("ter", corpus_ter)):
        found = made["scores"][name]
        assert found["value"] == pytest.approx(theirs(said, streams).score)
        assert found["interval"][0] < found["value"] < found["interval"][1] and "nrefs:2" in found["signature"]
    facts = {"n": 30, "language": "deu_Latn", "references": "human", "resamples": 50, "warnings": {}}
    assert facts.items() <= made.items() and len(made["ids_hash"]) == 64
    shown = capsys.readouterr().out
    assert f"{made['scores']['bleu']['value']:.1f}" in shown and made["scores"]["ter"]["signature"] in shown


def test_empty_hypotheses_are_scored_and_told_and_floors_stand_beside(
    score: Score, capsys: pytest.CaptureFixture[str]
) -> None:
    said, expected = corpus(30)
    write("said.txt", "\n".join([*said[:27], "", "", ""]) + "\n")
    assert score(*FILES, "source=pseudo", "output=s.json", "resamples=0") == 0
    made = json.loads(Path("s.json").read_text())
    assert made["n"] == 30 and made["warnings"] == {"empty hypotheses": 3} and made["references"] == "pseudo"
    value = corpus_bleu([*said[:27], "", "", ""], [expected]).score
    assert made["scores"]["bleu"]["value"] == pytest.approx(value) and made["scores"]["bleu"]["interval"] is None
    assert made["floors"]["shuffled"]["bleu"] < value > made["floors"]["constant"]["bleu"]
    shown = capsys.readouterr().out
    assert "3 empty hypotheses" in shown and made["floors"]["constant"]["sentence"] in shown and "pseudo" in shown
    assert score(*FILES, "floors=false", "output=s.json", "resamples=0") == 0
    assert "constant" not in capsys.readouterr().out and not json.loads(Path("s.json").read_text()).get("floors")


def test_order_of_ids_changes_no_score(score: Score) -> None:
    said, expected = corpus(30)
    rows = list(enumerate(said))
    random.Random(2).shuffle(rows)
    write("said.jsonl", lines(**{f"c{n}": text for n, text in rows}))
    write("expected.jsonl", lines(**{f"c{n}": text for n, text in enumerate(expected)}))
    assert score("hypotheses=said.jsonl", "references=expected.jsonl", "language=deu_Latn", "output=a.json") == 0
    write("ids.txt", "".join(f"c{n}\n" for n in range(30)))
    assert score(*FILES, "ids=ids.txt", "output=b.json") == 0
    assert json.loads(Path("a.json").read_text()) == json.loads(Path("b.json").read_text())
    assert score(*FILES, "output=c.json") == 0
    bare = json.loads(Path("c.json").read_text())
    assert bare["ids_hash"] != json.loads(Path("a.json").read_text())["ids_hash"]


def test_two_files_are_compared_and_a_protocol_stands_second(score: Score, capsys: pytest.CaptureFixture[str]) -> None:
    said, _ = corpus(30)
    write("worse.txt", "\n".join(one if n % 3 else "Regen" for n, one in enumerate(said)))
    words = (
        "against=worse.txt",
        "protocol=phoenix14t",
        "output=s.json",
        "metrics=[bleu]",
        "resamples=100",
        "trials=99",
    )
    assert score(*FILES, *words) == 0
    made = json.loads(Path("s.json").read_text())
    found = made["significance"]["scores"]["bleu"]
    assert found["value"] == made["scores"]["bleu"]["value"] and found["delta"] > 0 and found["bootstrap"]["p"] < 0.05
    assert (made["significance"]["system"], made["significance"]["against"]) == ("said.txt", "worse.txt")
    assert "smooth:floor[0.01]" in made["legacy"]["phoenix14t"]["bleu_4"]["signature"]
    shown = capsys.readouterr().out
    assert shown.index("tok:13a") < shown.index("Legacy") and "said.txt less worse.txt" in shown


def test_runs_are_scored_again_and_compared(score: Score, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = {f"c{n}": text for n, text in enumerate(corpus(12)[1])}
    runs = tmp_path / "runs"
    one = spoken(runs, "evaluate", "one", deu_Latn=texts, tur_Latn=texts)
    two = spoken(runs, "evaluate", "two", deu_Latn=dict(reversed(texts.items())))
    other = spoken(runs, "evaluate", "other", deu_Latn={"elsewhere": "x"})
    here = (f"paths.runs={runs}", "metrics=[chrf]", "resamples=0", "trials=99", "output=s.json")
    assert score(one.id, *here) == 0
    made = json.loads(Path("s.json").read_text())["languages"]
    assert list(made) == ["deu_Latn", "tur_Latn"] and made["deu_Latn"]["references"] == "pseudo"
    assert made["deu_Latn"]["ceiling"] == 99.0 and made["deu_Latn"]["n"] == 12
    assert score(f"run={one.id}", f"against={two.id}", "language=deu_Latn", *here) == 0
    found = json.loads(Path("s.json").read_text())["significance"]["scores"]["chrf"]
    assert found["delta"] == 0 and found["bootstrap"]["p"] == found["randomisation"]["p"] == 1
    capsys.readouterr()
    assert score(one.id, f"against={other.id}", "language=deu_Latn", *here) == 2
    assert "cannot be compared in deu_Latn: 12 of" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "give hypotheses=FILE references=FILE language=deu_Latn, or a run"),
        (["hypotheses=said.txt", "references=expected.txt"], "In which language"),
        ([*FILES[:2], "language=german"], "Did you mean deu_Latn (German)"),
        ([FILES[0], "references=[expected.txt,short.txt]", FILES[2]], "expected.txt has 30 lines and short.txt has 2"),
        ([FILES[0], "references=latin.txt", FILES[2]], "line 2 holds the byte 0xf6"),
        ([*FILES, "resamples=0", "output=said.txt/s.json"], "output=said.txt/s.json cannot be written"),
        ([*FILES, "metrics=[]"], "metrics=[] leaves none"),
        ([*FILES, "metrics=[blue]"], "Did you mean"),
        ([*FILES, "source=nobody"], "source=nobody: expected human or pseudo"),
        ([*FILES, "resamples=-1"], "resamples expects a whole number from 0 on, got -1"),
        ([*FILES, "protocol=csl_daily"], "is about zho_Hans and zho_Hant alone"),
        ([*FILES, "protocol=how2sign", "protocol.words=none.txt"], "protocol.words=none.txt cannot be read"),
        (["last", FILES[0]], "hypotheses= goes with files, not with a run"),
        (["none.zip"], "no bundle none.zip"),
    ],
)  # fmt: skip
def test_wrong_input_is_one_sentence(
    score: Score, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    write("short.txt", "A\nB\n")
    write("latin.txt", "ja\nKöln\n".encode("latin-1"))
    assert score(*words) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1


def test_it_is_quick_and_loads_no_torch(score: Score) -> None:
    """2,500 sentences in under 2 s, with intervals in under 3 more; a busy machine is granted half as much again."""
    said, expected = corpus(2500)
    write("said.txt", "\n".join(said))
    write("expected.txt", "\n".join(expected))
    code = (
        "import sys, time\nfrom sonar_slt.cli import main\n"
        f"assert main(['score', *{FILES!r}, 'resamples=0']) == 0\nfirst = time.process_time()\n"
        f"assert main(['score', *{FILES!r}]) == 0\n"
        "print(first, time.process_time() - first, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    bare, with_intervals, torch = done.stdout.splitlines()[-1].split()
    assert torch == "False" and float(bare) < 3 and float(with_intervals) < 4.5
