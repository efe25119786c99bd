"""How well metrics agree with slot accuracy on what real students said: clip by clip, and system by system.

A system is one training of a study, an arm with a seed; all are judged on the same clips.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from damage import VECTORS, Vectors
from evidence import Study, Trained, collect

from sonar_slt.metrics.metric import Metric
from sonar_slt.metrics.slots import Slots

Floats = np.ndarray[Any, np.dtype[np.float64]]
OWN = {"cosine": "cosine of z", "log_likelihood": "log-likelihood"}
"""What an evaluation writes beside each hypothesis, where it does."""


@dataclass(frozen=True, slots=True)
class System:
    """One training: the quality of its sentences by metric and language, and of the whole; higher is better."""

    title: str
    seed: int
    sentences: Mapping[str, Mapping[str, Floats]]  # metric -> language -> (clips,)
    corpus: Mapping[str, float]  # metric -> mean over languages


def systems(
    studies: Sequence[Study],
    root: Path,
    metrics: Sequence[Metric],
    *,
    clips: int,
    references: int | None = None,
    encoder: Vectors | None = None,
) -> list[System]:
    """Every finished training of these studies, judged on its first `clips` clips and `references` of each, or all.

    With an `encoder` the sentences' vectors are compared too.
    """
    found: dict[Path, System] = {}
    for study in studies:
        for title, seeds in collect(study, root).items():
            for seed, run in seeds.items():
                if run.folder not in found:
                    found[run.folder] = _system(
                        f"{study.name}: {title}", seed, run, metrics, clips, references, encoder
                    )
    return list(found.values())


def _system(
    title: str,
    seed: int,
    run: Trained,
    metrics: Sequence[Metric],
    clips: int,
    several: int | None,
    encoder: Vectors | None,
) -> System:
    sentences: dict[str, dict[str, Floats]] = {}
    corpus: dict[str, list[float]] = {}
    for path in sorted((run.folder / "hypotheses").glob("test.*.jsonl")):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[:clips]]
        code = lines[0]["language"]
        texts, references = [line["hypothesis"] for line in lines], [line["references"][:several] for line in lines]

        def keep(name: str, each: Floats, whole: float, code: str = code) -> None:
            sentences.setdefault(name, {})[code] = each
            corpus.setdefault(name, []).append(whole)

        for metric in metrics:
            measured = metric.measure(texts, references, code)
            sign = 1 if metric.higher_is_better else -1
            keep(metric.name, sign * measured.sentences, sign * measured.value)
        if encoder is not None:
            near = 100 - encoder.distance(texts, references, code)
            keep(VECTORS, near, float(near.mean()))
        for name in OWN:
            if all(line.get(name) is not None for line in lines):
                values = np.array([line[name] for line in lines], dtype=np.float64)
                keep(name, values, float(values.mean()))
    return System(title, seed, sentences, {name: float(np.mean(values)) for name, values in corpus.items()})


def agreement(found: Sequence[System], *, resamples: int = 1000) -> dict[str, dict[str, Any]]:
    """Kendall's tau-b and Pearson's r of every metric with slot accuracy, in two ways.

    `segment`: over the clips of one system and language, the mean of all; where either side is the same for every clip
    nothing is said. `system`: over the corpus scores. A metric that tells no clips or no systems apart is left out.
    Intervals come from drawing systems anew.
    """
    truth = Slots.name
    shared = [name for name in found[0].corpus if name != truth and all(name in one.corpus for one in found)]
    names = [
        name
        for name in shared
        if len({one.corpus[name] for one in found}) > 1
        and not np.isnan([_within(one, name, truth, kendall) for one in found]).all()
    ]
    draw = np.random.default_rng(12345)
    picks = draw.integers(len(found), size=(resamples, len(found)))
    told: dict[str, dict[str, Any]] = {}
    for name in names:
        told[name] = {}
        for title, measure in (("tau", kendall), ("r", pearson)):
            each = np.array([_within(one, name, truth, measure) for one in found])  # (systems,)
            drawn = np.array([_mean(each[rows]) for rows in picks])
            told[name][f"segment_{title}"] = _with_interval(_mean(each), drawn)
            x, y = (np.array([one.corpus[key] for one in found]) for key in (name, truth))
            drawn = np.array([measure(x[rows], y[rows]) for rows in picks])
            told[name][f"system_{title}"] = _with_interval(measure(x, y), drawn)
        told[name]["seeds"] = {
            str(seed): _mean(np.array([_within(one, name, truth, kendall) for one in found if one.seed == seed]))
            for seed in sorted({one.seed for one in found})
        }
    return told


def _within(system: System, name: str, truth: str, measure: Callable[[Floats, Floats], float]) -> float:
    scores = system.sentences[name]
    return _mean(np.array([measure(values, system.sentences[truth][code]) for code, values in scores.items()]))


def _mean(values: Floats) -> float:
    """The mean of what is known; nan where nothing is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def kendall(x: Floats, y: Floats) -> float:
    """Tau-b: pairs in the same order minus pairs in the other, of those that neither side ties; nan of ties only."""
    one, two = np.sign(x[:, None] - x[None]), np.sign(y[:, None] - y[None])  # (n, n)
    apart = np.sqrt(float((one != 0).sum()) * float((two != 0).sum()))
    return float((one * two).sum() / apart) if apart else float("nan")


def pearson(x: Floats, y: Floats) -> float:
    """The correlation; nan where one side is constant."""
    x, y = x - x.mean(), y - y.mean()
    apart = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return float((x * y).sum() / apart) if apart > 1e-12 else float("nan")


def _with_interval(value: float, drawn: Floats) -> dict[str, Any]:
    low, high = np.percentile(drawn[~np.isnan(drawn)], [2.5, 97.5])
    return {"value": value, "interval": [float(low), float(high)]}
