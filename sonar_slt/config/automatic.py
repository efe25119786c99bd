"""`adapter=auto`: which adapter a corpus calls for, decided before the command is composed.

What is decided becomes a word of the command, so that the record of a run names the adapter and never "auto".
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sonar_slt.config.compose import Examined, examine, floorplan, stem
from sonar_slt.config.problem import Problem
from sonar_slt.config.words import Word, read_word
from sonar_slt.errors import UserError

AUTO = "auto"
READING = ("train", "check", "bench")
"""The verbs that build an adapter."""
DECIDING = ("data", "pose", "preparation", "normalise", "paths", "experiment", "task", "local")
"""The rooms that decide what a corpus has, or which adapter is asked for."""

Chosen = tuple[str, str]
"""An adapter, and why."""


def with_adapter(
    verb: str, words: Sequence[str], config_dir: str | None = None, *, multirun: bool = False
) -> tuple[list[str], Examined]:
    """The words of a command with the adapter that its corpus calls for, where they leave that open; and what is wrong.

    A command is examined once; twice only where words are about something inside an adapter that is not known yet.
    """
    plan = floorplan(config_dir)
    read = [read_word(text, plan) for text in words]
    if verb not in READING or plan.defaults(stem(verb)).get("adapter") != AUTO or any(map(_chooses, read)):
        return list(words), examine(verb, words, config_dir, multirun=multirun)
    kept = [text for text, word in zip(words, read, strict=True) if not _inside_adapter(word)]
    found = examine(verb, kept, config_dir, multirun=multirun)
    inside = len(kept) < len(words)
    if found.choices.get("adapter") != AUTO or found.problems:
        return list(words), examine(verb, words, config_dir, multirun=multirun) if inside else found
    configs = [found.config, *(examine(verb, job, config_dir).config for job in _others(kept, read))]
    wanted = dict.fromkeys(map(_wanted, configs))
    if len({name for name, _ in wanted}) > 1:
        told = "; ".join(f"{name} because {why}" for name, why in wanted)
        raise UserError(f"The corpora of this sweep call for several adapters, {told}: name one by adapter=….")
    name, why = next(iter(wanted))
    print(f"Adapter: {name}, because {why}.", file=sys.stderr)
    chosen = [*(text for text in words if text.lstrip("+") != f"adapter={AUTO}"), f"adapter={name}"]
    return chosen, examine(verb, chosen, config_dir, multirun=multirun) if inside else found


def adapter_for(corpus: Any) -> Chosen:
    """The adapter for what a corpus has: for features before pictures, for keypoints where they are all."""
    parts = [_tracks(part) for part in corpus.parts.values()]
    there = set.intersection(*parts)
    if "features" in there:
        return "spamo", "features of the corpus were extracted"
    if {"points", "pictures"} <= there:
        return "multimodal", "the corpus has keypoints and clips"
    if "points" in there:
        return "keypoint", "the corpus has keypoints, and no features were extracted"
    return "spamo", "the corpus has pictures alone, of which `sonar-slt extract` makes features"


def _tracks(corpus: Any) -> set[str]:
    """What of points, pictures and features a corpus has: by what lies prepared, else by what its labels say."""
    from sonar_slt.data.feature_store import feature_sets
    from sonar_slt.data.prepared_folder import has_points, is_prepared

    home = corpus.prepared
    if not is_prepared(home):
        return _labelled(corpus)
    found = {"points"} if has_points(home) else set()
    if any(one.track in ("spatial", "motion") for one in feature_sets(home)):
        found.add("features")
    if any(row.source for row in corpus.rows):
        found.add("pictures")
    return found


def _labelled(corpus: Any) -> set[str]:
    from sonar_slt.data.corpus import Corpus

    if not isinstance(corpus, Corpus) or not corpus.reads_poses:
        return {"points"}
    entries = corpus.read().entries
    found = {"points"} if any(entry.pose for entry in entries) else set()
    return found | ({"pictures"} if any(entry.pictures for entry in entries) else set())


def _wanted(config: Mapping[str, Any]) -> Chosen:
    from sonar_slt.config.assembly import corpus_of

    return adapter_for(corpus_of(config)) if config.get("preparation") else ("keypoint", "nothing is prepared")


def _others(kept: Sequence[str], read: Sequence[Word | Problem]) -> Iterator[list[str]]:
    """The words of further jobs that may have another corpus: every alternative beside the first ones of all others."""
    words = {word.text: word for word in read if isinstance(word, Word) and word.text in set(kept)}
    first = {text: word.alternatives[0] for text, word in words.items()}
    for text, word in words.items():
        if word.room in DECIDING:
            for alternative in word.alternatives[1:]:
                yield list({**first, text: alternative}.values())


def _chooses(word: Word | Problem) -> bool:
    """Whether a word names an adapter."""
    return isinstance(word, Word) and word.key == "adapter" and word.alternatives != (f"adapter={AUTO}",)


def _inside_adapter(word: Word | Problem) -> bool:
    """Whether a word is about something in the adapter, which is not known yet."""
    if isinstance(word, Problem):
        return False
    return (word.room == "adapter" and not word.group) or (word.package or "").startswith("adapter")
