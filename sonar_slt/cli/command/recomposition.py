"""The words that do a run again: those of its command, what they meant then, and new ones, of which the last wins.

The config is composed anew from them, so that defaults, schema and choices are at work as in any command.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sonar_slt.cli.command.arguments import spelt
from sonar_slt.config.explanations import has
from sonar_slt.config.floorplan import Floorplan
from sonar_slt.config.words import Word, read_word
from sonar_slt.errors import UserError, did_you_mean
from sonar_slt.runs.difference.configs import config_of, equal, leaves, words_of
from sonar_slt.runs.provenance.identity import computed
from sonar_slt.runs.registry import Record

PINNED = ("inputs", "init_from")
"""Keys that mean a run: what they meant then is written out."""
FOUND = ("pictures", "spatial", "motion")
"""Keys of `batches` that a training fills in by what it finds extracted of its corpus."""
DECIDING = frozenset({"data", "adapter", "batches", "preparation", "normalise", "paths", "experiment", "task"})
"""Rooms after whose change other features may be found."""
ELSEWHERE = frozenset({"run", "resume", "output", "allow", *PINNED})
"""Keys that are not compared with the saved config: they are repeated in another way, or not at all."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """Saved words as they are said again, new ones as they are said behind them, and what there is to tell of both."""

    saved: tuple[Word, ...]
    new: tuple[Word, ...]
    told: tuple[str, ...] = ()
    bridges: tuple[Word, ...] = ()  # from today's defaults to the saved values

    @property
    def words(self) -> list[str]:
        """All of them, each key once: the new word where both name it."""
        named, rooms = {_place(word) for word in self.new}, self._rooms
        bridges = [word for word in self.bridges if _place(word) not in named and not _inside(word, rooms)]
        return [word.text for word in (*self.kept, *bridges, *self.new)]

    @property
    def former(self) -> list[str]:
        """The saved ones alone."""
        return [word.text for word in (*self.saved, *self.bridges)]

    @property
    def kept(self) -> list[Word]:
        """The saved words whose keys no new one names."""
        named = {_place(word) for word in self.new}
        return [word for word in self.saved if _place(word) not in named]

    @property
    def _rooms(self) -> list[str]:
        """The parts of the config to which new words give another content as a whole."""
        return [_place(word) for word in self.new if word.group]

    @property
    def choices(self) -> list[str]:
        """The words that choose whole rooms."""
        kept = [word.text for word in self.kept if word.hydra or (word.group and word.package is None)]
        return kept + [word.text for word in self.new if word.hydra or word.group]

    def fitting(self, chosen: Mapping[str, Any]) -> Repeated:
        """Without the saved words about what the new ones leave out; `chosen` is the config that the choices give."""
        lost = [word for word in self.kept if not word.hydra and _is_lost(word, chosen, self._rooms)]
        left = tuple(f"{word.text} is left out: there is no {_place(word)} any more." for word in lost)
        return replace(self, saved=tuple(word for word in self.saved if word not in lost), told=self.told + left)


def repeated(
    record: Record,
    new: Sequence[str],
    plan: Floorplan,
    *,
    without: Sequence[str] = (),
    emptied: Sequence[str] = (),
    alone: bool = True,
) -> Repeated:
    """The words of a run, but those `without`, and new ones.

    Rooms that are `emptied` are empty where no word chooses for them. `alone` keeps a job of a named sweep from
    starting the whole sweep again.
    """
    fresh = [_read(text, plan) for text in new]
    named = {word.key for word in fresh}
    saved = [_read(text, plan, record) for text in words_of(record)]
    _require_allowed(record, [*named, *without])
    told = list(_not_repeated(saved, named, record))
    saved = [word for word in saved if word.key not in ("allow", "resume", "output", "sweeper", *PINNED)]
    saved += [_read(text, plan) for text in _meant(record)]
    if record.facts.get("sweep") and alone and not named & {"sweep", "experiment"}:
        saved.append(_read("hydra.mode=RUN", plan))
    known = {"allow", *(word.key for word in saved), *(key for key, _ in leaves(config_of(record)))}
    if unknown := [key for key in without if key not in known]:
        hint = did_you_mean(unknown[0], {word.key for word in saved}) or f" It saved {_listed(saved)}."
        raise UserError(f"without={unknown[0]}: {record.folder.name} saved no word about it.{hint}")
    saved = [word for word in saved if word.key not in (*without, *emptied)]
    signs = {_place(word): word.sign for word in saved if word.sign in ("+", "++")}
    fresh = [_signed(word, signs.get(_place(word), ""), plan) for word in fresh]
    return Repeated(tuple(saved), tuple(fresh), tuple(told))


def bridged(
    words: Repeated,
    record: Record,
    today: Mapping[str, Any],
    plan: Floorplan,
    *,
    whole: bool,
    without: Sequence[str] = (),
) -> Repeated:
    """With further words that bring today's config to the saved one: to `whole` of it, or to what the run found."""
    changed = {word.room for word in words.new}
    saved = config_of(record)
    if whole:
        bridges = list(_bridges(computed(_compared(today)), computed(_compared(saved))))
    elif record.verb != "train" or changed & DECIDING:
        return words
    else:
        now, then = today.get("batches") or {}, saved.get("batches") or {}
        bridges = [f"batches.{key}={spelt(then[key])}" for key in FOUND if then.get(key) and now.get(key, 0) is None]
    read = [_read(text, plan) for text in bridges]
    return replace(words, bridges=tuple(word for word in read if word.key not in without))


def compared(record: Record, today: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The saved config and today's as they are held against each other."""
    return _compared(config_of(record)), _compared(today)


def _compared(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in ELSEWHERE}


def _bridges(today: Mapping[str, Any], saved: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """The words that make today's tree the saved one.

    What the saved one has no key for came since: a part keeps its default of that, as long as it is the same part.
    """
    same = not above or (today.get("_target_") is not None and today.get("_target_") == saved.get("_target_"))
    yield from (f"~{above}{key}" for key in today if key not in saved and not same)
    for key, two in saved.items():
        where, one = f"{above}{key}", today.get(key)
        if isinstance(two, Mapping) and two:
            inside = one if isinstance(one, Mapping) else {}
            yield from _bridges(inside, two, f"{where}.")
        elif key not in today or not equal(one, two):
            yield f"~{where}" if two is None and not above else f"++{where}={spelt(two)}"


def _meant(record: Record) -> Iterator[str]:
    """Words that mean a run, as they were meant."""
    if record.verb == "evaluate" and record.parent:
        config = config_of(record)
        yield f"inputs={spelt([config.get('run') or record.parent])}"
    elif record.verb == "train" and (begun := record.facts.get("init_from") or config_of(record).get("init_from")):
        yield f"init_from={spelt(begun)}"


def _not_repeated(saved: Sequence[Word], named: set[str], record: Record) -> Iterator[str]:
    for word in saved:
        if word.key == "resume" and word.key not in named:
            yield f"{word.text} is not repeated: this begins anew. Add resume={record.id} to go on instead."
        if word.key == "output" and word.key not in named:
            yield f"{word.text} is not repeated, so that the file stays what it is: name another by output=…."


def _require_allowed(record: Record, named: Sequence[str]) -> None:
    """A package is allowed by who types the command: a file that came from elsewhere must not."""
    packages = config_of(record).get("allow")
    if packages and "allow" not in named:
        listed = ",".join(map(str, packages))
        raise UserError(f"{record.folder.name} may build classes of {listed}: allow it again by allow=[{listed}].")


def _read(text: str, plan: Floorplan, record: Record | None = None) -> Word:
    word = read_word(text, plan)
    if isinstance(word, Word):
        return word
    where = f"{record.folder.name} saved a word that cannot be used. " if record else ""
    raise UserError(where + word.text)


def _signed(word: Word, sign: str, plan: Floorplan) -> Word:
    """A word about a key that a saved word adds, which it must add too."""
    return _read(f"{sign}{word.text}", plan) if sign and not word.sign and not word.group else word


def _place(word: Word) -> str:
    """Where in the config a word is at work."""
    return word.package or word.key


def _inside(word: Word, rooms: Sequence[str]) -> bool:
    return any(_place(word).startswith((f"{room}.", f"{room}@")) or _place(word) == room for room in rooms)


def _is_lost(word: Word, chosen: Mapping[str, Any], anew: Sequence[str]) -> bool:
    if word.group and word.package is None:
        return False
    if word.sign in ("+", "++"):
        return _inside(word, anew)
    return not has(chosen, _place(word))


def _listed(saved: Sequence[Word]) -> str:
    return ", ".join(word.key for word in saved if not word.hydra) or "none"
