"""What an adapter reads of a corpus, made ready before anything is trained for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sonar_slt.config.compose import examine


def prepare_tracks(config: Mapping[str, Any]) -> dict[str, Any]:
    """Prepare the corpus, and refuse what the adapter cannot read of it.

    Pictures of what is generated are made on the spot; those of a release are hours of work and a command of their own.
    What comes back names the features that are read: others may come to lie beside them.
    """
    from sonar_slt.cli.extract import extracted
    from sonar_slt.config.assembly import corpus_of, reads
    from sonar_slt.data.corpus import Corpus
    from sonar_slt.data.feature_store import feature_set
    from sonar_slt.data.sources import PICTURES, POINTS, Features, sources

    corpus, wanted = corpus_of(config), reads(config) or ()
    corpus.prepare()
    asked = {track: config["batches"].get(track) for track in (PICTURES, "spatial", "motion")}
    if PICTURES in wanted:
        for part in corpus.parts.values():
            generated = isinstance(part, Corpus) and not part.label_files()
            if generated and feature_set(part.prepared, PICTURES, asked[PICTURES]) is None:
                extracted({}, part, PICTURES, examine("extract", [f"features={PICTURES}"]).config["features"][PICTURES])
    found = sources(corpus, wanted, asked)
    if POINTS in found:
        _ = corpus.layout
    named = {track: source.names for track, source in found.items() if isinstance(source, Features)}
    read = {track: name for track, name in named.items() if ", " not in name}  # parts of a mix may have their own
    return {**config, "batches": {**config["batches"], **read}}
