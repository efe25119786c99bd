"""Train a student of a sentence space, or the space itself.

Examples:
    sonar-slt train
    sonar-slt train objective.cosine.weight=0 trainer.max_steps=500
    sonar-slt train -m seed=1,2,3 student=lora,frozen
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.cli.entries import note_run
from sonar_slt.cli.following import follow, joined, lead, other_batches
from sonar_slt.cli.recipe import ensure_space
from sonar_slt.config.compose import examine
from sonar_slt.errors import UserError
from sonar_slt.runs.pinned import AUTO, pinned
from sonar_slt.runs.provenance import identity
from sonar_slt.runs.registry import Record, find, interrupted, require_same, same_work
from sonar_slt.runs.slurm import restarts
from sonar_slt.source_hash import code_hash

if TYPE_CHECKING:
    from sonar_slt.task.ranks import Ranks


def run(config: dict[str, Any]) -> float | None:
    """Train as configured, alone or with the processes that were started beside this one."""
    with joined(config["trainer"]) as ranks:
        if ranks and ranks.rank:
            follow(ranks)
            return None
        return _first(config, ranks)


def _first(config: dict[str, Any], ranks: Ranks | None) -> float | None:
    """Train as configured; what a sweeper may optimise comes back."""
    call = config.pop("call")
    going_on = config["resume"] == AUTO or restarts() > 0
    config = pinned("train", config)
    asked = identity("train", config)
    _require_sense(config, call["choices"])
    parent = call["stopped"] or _resumed(config)
    if config.get("preparation"):
        config = require_tracks(config)
    ensure_space(config, call["config_dir"])
    if going_on:
        parent = stopped(config) or parent
    facts = {name: call[name] for name in ("choices", "sweep", "job", "config_dir", "rerun_of")} | {"asked": asked}
    folder, metrics = train(config, call["overrides"], parent=parent, facts=facts, ranks=ranks)
    if metrics.get("scores"):
        from rich.console import Console

        from sonar_slt.cli.evaluate import retrieved
        from sonar_slt.runs.table import scores_table

        console = Console(highlight=False)
        console.print(scores_table(metrics))
        console.print(retrieved(metrics))
        console.print(f"Report: {folder / 'report.html'}", soft_wrap=True)
    bleu = metrics.get("mean_bleu", {}).get("trained")
    return float(bleu) if bleu is not None else None


def train(
    config: Mapping[str, Any],
    overrides: Sequence[str],
    *,
    parent: Record | None = None,
    facts: Mapping[str, Any] = {},
    ranks: Ranks | None = None,
) -> tuple[Path, dict[str, Any]]:
    """One training in a run folder of its own, going on from `parent` if there is one; the folder and its metrics.

    `ranks` are the processes that torchrun or srun started; those that `trainer.devices` asks for are started here.
    """
    from rich.console import Console

    from sonar_slt.config.assembly import assemble
    from sonar_slt.config.build import build
    from sonar_slt.runs.record import Run
    from sonar_slt.runs.report import write_report
    from sonar_slt.task.checkpoints import load, take_over
    from sonar_slt.task.crew import Crew
    from sonar_slt.task.fitting import fit, quiet, run_parts, steps_not_epochs, use_threads

    console = Console(stderr=True, highlight=False)
    use_threads(config["threads"])
    begun = Run.start(
        Path(config["paths"]["runs"]),
        verb="train",
        name=config["name"],
        config=config,
        overrides=list(overrides),
        parent=parent.folder.name if parent else facts.get("rerun_of"),
        facts={**facts, "rerun_of": None} if parent else facts,
    )
    with quiet(), begun as current:
        note_run(facts, current.folder)
        console.print(f"Run {current.id} in {current.folder}")
        looks = {"monitor": config["monitor"], "eval_every": config["eval_every"]}
        chosen = build(config["callbacks"]).values() if config.get("callbacks") else ()
        parts = run_parts(current, config["name"], chosen=chosen, **looks)
        journal = parts.pop("journal")
        current.mirror(build(config.get("logger")))
        settings = steps_not_epochs(config["trainer"], eval_every=config["eval_every"])
        with Crew(settings, ranks, lost=partial(current.close, "failed")) as crew:
            trainer = build(crew.settings, logger=[journal], **parts, **crew.parts())
            journal.follow(trainer)
            made = assemble(config, device=trainer.strategy.root_device)
            if config["conclude"] and made.space:
                made.data.require(config["conclude"], made.data.targets)
            current.update(device=str(trainer.strategy.root_device), code=code_hash(), **made.facts)
            checkpoints = current.folder / "checkpoints"
            if parent:
                require_same(parent, made.facts, "it cannot be gone on with")
                for name in ("best", "last"):  # there may be no better one to come, and no further step
                    take_over(parent.checkpoints / f"{name}.ckpt", checkpoints)
            elif config["init_from"]:
                begun_with = begin(config, made)
                current.update(**begun_with)
                for told in begun_with.get("init_told", ()):
                    console.print(told)
            last = parent.checkpoints / "last.ckpt" if parent else None
            current.update(processes=crew.count)
            if parent and (changed := other_batches(config, parent, crew.count)):
                console.print(changed)
            made.task.ranks = lead(crew, made, config, current.folder, last)
            fit(trainer, made.task, made.data, last)
            best = checkpoints / "best.ckpt"
            judged = bool(config["conclude"] and made.space and best.is_file())
            if made.task.ranks.broadcast(judged):
                load(made.task, best)
            metrics = made.task.conclude(current.folder, split=config["conclude"], tell=console.print)
        current.update(metrics=metrics)
    write_report(current.folder)
    return current.folder, metrics


def begin(config: Mapping[str, Any], made: Any) -> dict[str, Any]:
    """Take over the weights that `init_from` means; what the record should say of it."""
    from sonar_slt.task.start import start_from

    word, parts = config["init_from"], config["init_parts"]
    if not made.space:
        raise UserError("init_from= is for students of a space; a space is trained from nothing or gone on with.")
    if not parts:
        return {"init_from": None}
    if word.endswith(".pt") or (Path(word) / "training_state.pt").is_file():
        from sonar_slt.task.reference_files import start_from_reference

        return {"init_from": word, "init_told": start_from_reference(made.task, Path(word), parts)}
    former = find(Path(config["paths"]["runs"]), word, verb="train")
    require_same(former, {"space_fingerprint": made.facts["space_fingerprint"]}, "its weights mean nothing here")
    there = [former.checkpoints / f"{name}.ckpt" for name in ("best", "last")]
    source = next((path for path in there if path.is_file()), None)
    if source is None:
        raise UserError(f"{former.folder.name} left no checkpoint to begin with: `sonar-slt runs` lists the runs.")
    start_from(made.task, source, parts, said=former.folder.name)
    return {"init_from": former.folder.name}


def require_tracks(config: Mapping[str, Any]) -> dict[str, Any]:
    """Prepare the corpus, or refuse what the adapter cannot read of it, before a space is trained for it.

    Pictures of what is generated are made on the spot; those of a release are hours of work and a command of their own.
    What comes back names the features that are read: others may come to lie beside them.
    """
    from sonar_slt.cli.extract import extracted
    from sonar_slt.config.assembly import corpus_of, reads
    from sonar_slt.data.corpus import Corpus
    from sonar_slt.data.features import chosen
    from sonar_slt.data.sources import PICTURES, POINTS, Features, sources

    corpus, wanted = corpus_of(config), reads(config) or ()
    corpus.prepare()
    asked = {track: config["batches"].get(track) for track in (PICTURES, "spatial", "motion")}
    if PICTURES in wanted:
        for part in getattr(corpus, "parts", {"": corpus}).values():
            generated = isinstance(part, Corpus) and not part.label_files()
            if generated and chosen(part.prepared, PICTURES, asked[PICTURES]) is None:
                extracted({}, part, PICTURES, examine("extract", [f"features={PICTURES}"]).config["features"][PICTURES])
    found = sources(corpus, wanted, asked)
    if POINTS in found:
        _ = corpus.layout
    named = {track: source.names for track, source in found.items() if isinstance(source, Features)}
    read = {track: name for track, name in named.items() if ", " not in name}  # parts of a mix may have their own
    return {**config, "batches": {**config["batches"], **read}}


def _require_sense(config: Mapping[str, Any], choices: Mapping[str, Any]) -> None:
    """Refuse words that contradict each other, before anything is made."""
    block = choices.get("visual_block")
    if block in ("pretrained", "frozen") and not (config["init_from"] or config["resume"]):
        raise UserError(f"visual_block={block} is of another training: name it by init_from=RUN (`sonar-slt runs`).")
    if config["task"].get("judged") == 0 and config["monitor"].startswith(("dev/bleu", "dev/chrf")):
        raise UserError(f"task.judged=0 leaves no {config['monitor']} to choose by: add monitor=dev/loss.")


def stopped(config: Mapping[str, Any]) -> Record | None:
    """The training of this very work that was stopped last, unless one has finished since."""
    done = same_work(Path(config["paths"]["runs"]), "train", config)
    return interrupted(takewhile(lambda run: run.status != "finished", done))


def _resumed(config: Mapping[str, Any]) -> Record | None:
    """The training to go on with, if one is named."""
    if not config["resume"]:
        return None
    parent = find(Path(config["paths"]["runs"]), config["resume"], verb="train")
    if not (parent.checkpoints / "last.ckpt").is_file():
        raise UserError(f"{parent.folder.name} left no checkpoint to go on from: `sonar-slt runs` lists the runs.")
    return parent
