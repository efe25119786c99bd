"""Does the toy sign language need order, both hands and the face? Read the sweep's runs, compare them in pairs.

    sonar-slt train -m view=all,shuffled,one_hand,no_face seed=1,2,3 conclude=test name=toy_world
    python experiments/toy_world/study.py outputs/runs

Writes table.md and plot.svg beside this file. A difference is of mean sentence chrF2 over the trained languages, paired
by clip and seed; its 95 % interval comes from 1,000 resamples of clips.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from sacrebleu.metrics.chrf import CHRF

from sonar_slt.runs.registry import all_runs

Scores = np.ndarray[Any, np.dtype[np.float64]]
HERE = Path(__file__).parent
VIEWS = {"All": "everything", "Shuffled": "frames shuffled", "OneHand": "one hand", "NoFace": "no face"}


def sentence_scores(folder: Path) -> Scores:
    """Mean sentence chrF2 over the trained languages, one figure per clip of the test split."""
    metric, by_language = CHRF(), []
    for path in sorted((folder / "hypotheses").glob("test.*.jsonl")):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        if lines[0]["seen"]:
            scored = (metric.sentence_score(line["hypothesis"], line["references"]) for line in lines)
            by_language.append([score.score for score in scored])
    return np.mean(by_language, axis=0)


def collect(root: Path) -> dict[str, dict[int, tuple[dict[str, Any], Scores]]]:
    """View and seed to metrics and sentence scores; of runs that were done twice the newest."""
    found: dict[str, dict[int, Any]] = {}
    for run in all_runs(root):
        if run.verb == "train" and run.name == "toy_world" and run.status == "finished":
            config = yaml.safe_load((run.folder / "config.yaml").read_text(encoding="utf-8"))
            view = config["view"]["_target_"].rpartition(".")[2]
            if run.seed is not None and run.seed not in found.setdefault(view, {}):
                found[view][run.seed] = (dict(run.metrics), sentence_scores(run.folder))
    return found


def interval(difference: Scores) -> tuple[float, float]:
    """95 % percentile interval of the mean over clips."""
    picks = np.random.default_rng(12345).integers(len(difference), size=(1000, len(difference)))
    low, high = np.percentile(difference[picks].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def table(found: dict[str, Any]) -> tuple[list[str], list[tuple[str, float, float]]]:
    """Markdown rows, and what the plot shows: view, mean BLEU, spread over seeds."""
    rows = [
        "| seen | seeds | BLEU trained | BLEU unseen | retrieval@1 | chrF2 against everything | 95 % interval |",
        "|---|---|---|---|---|---|---|",
    ]
    bars = []
    whole = found["All"]
    for view, title in VIEWS.items():
        if view not in found:
            continue
        seeds = sorted(found[view])
        trained, unseen, retrieval = (
            [pick(found[view][seed][0]) for seed in seeds]
            for pick in (
                lambda m: m["mean_bleu"]["trained"],
                lambda m: m["mean_bleu"]["unseen"],
                lambda m: m["retrieval_at_1"],
            )
        )
        both = [seed for seed in seeds if seed in whole]
        difference = np.mean([found[view][seed][1] - whole[seed][1] for seed in both], axis=0)
        low, high = interval(difference)
        apart = ("", "") if view == "All" else (f"{difference.mean():+.1f}", f"{low:+.1f} to {high:+.1f}")
        figures = " | ".join(map(spread, (trained, unseen, retrieval)))
        rows.append(f"| {title} | {len(seeds)} | {figures} | {apart[0]} | {apart[1]} |")
        bars.append((title, float(np.mean(trained)), float(np.std(trained))))
    return rows, bars


def spread(values: list[float]) -> str:
    """Mean and standard deviation over seeds."""
    return f"{np.mean(values):.1f} ± {np.std(values, ddof=1) if len(values) > 1 else 0:.1f}"


SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 560 {height}" font-family="sans-serif" font-size="14">
<rect width="100%" height="100%" fill="white"/>
{bars}
<text x="140" y="{foot}" fill="#555">BLEU, mean of the four trained languages; line: spread over seeds</text>
</svg>
"""
BAR = """<text x="130" y="{base}" text-anchor="end">{title}</text>
<rect x="140" y="{top}" width="{width:.1f}" height="24" fill="#4a7ebb"/>
<line x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}" stroke="black" stroke-width="2"/>
<text x="{beside:.1f}" y="{base}">{mean:.1f}</text>"""


def plot(bars: list[tuple[str, float, float]]) -> str:
    """Mean BLEU over trained languages per view, with the spread over seeds, as a small svg."""
    drawn = []
    for row, (title, mean, apart) in enumerate(bars):
        top, low, high = 40 * row + 12, 140 + 3.2 * (mean - apart), 140 + 3.2 * (mean + apart)
        places = {"top": top, "middle": top + 12, "base": top + 17, "low": low, "high": high, "beside": high + 8}
        drawn.append(BAR.format(title=title, width=3.2 * mean, mean=mean, **places))
    return SVG.format(height=40 * len(bars) + 40, foot=40 * len(bars) + 26, bars="\n".join(drawn))


def main(root: Path) -> None:
    """Write table and plot."""
    rows, bars = table(collect(root))
    (HERE / "table.md").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (HERE / "plot.svg").write_text(plot(bars), encoding="utf-8")
    print("\n".join(rows))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
