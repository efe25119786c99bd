"""French: a partitive article that negation turns into `de`, elision before a vowel, `ne` and `pas` round the verb."""

from __future__ import annotations

from dataclasses import replace

from sonar_slt.data.corpora.toy.meaning import Contrast, Meaning
from sonar_slt.data.corpora.toy.sentences.grammar import Ending, Grammar, Way

FEMININE = frozenset({"rain", "snow", "hail"})
PLURAL = frozenset({"thunderstorm", "clouds", "storm", "showers"})
VOWEL = frozenset({"thunderstorm", "showers"})

PHRASE = Ending(
    temperature=", avec un {extreme} de {degrees}",
    wind=", avec un vent {strength} {direction}",
    contrast=", {relation} il y aura {some} {phenomenon} {region}",
)
CLAUSE = Ending(
    temperature=", et le {extreme} sera de {degrees}",
    wind=", et un vent {strength} soufflera {direction}",
    contrast=", {relation} {region} on aura {some} {phenomenon}",
)


def some(clause: Meaning | Contrast) -> str:
    """The partitive article."""
    if clause.phenomenon in PLURAL:
        return "des"
    return "de la" if clause.phenomenon in FEMININE else "du"


GRAMMAR = Grammar(
    ways=(
        Way(
            says="{time}, il y aura{likelihood} {some} {phenomenon} {region}",
            denies="{time}, il n'y aura{likelihood} pas {any}{phenomenon} {region}",
            ending=PHRASE,
        ),
        Way(
            says="{region}, il faudra{likelihood} s'attendre à {some} {phenomenon} {time}",
            denies="{region}, il ne faudra{likelihood} pas s'attendre à {some} {phenomenon} {time}",
            ending=CLAUSE,
        ),
        Way(
            says="on aura{likelihood} {some} {phenomenon} {time} {region}",
            denies="on n'aura{likelihood} pas {any}{phenomenon} {time} {region}",
            ending=replace(PHRASE, contrast=", {relation} on aura {some} {phenomenon} {region}"),
        ),
    ),
    time={
        "today": "aujourd'hui",
        "tonight": "cette nuit",
        "tomorrow": "demain",
        "monday": "lundi",
        "tuesday": "mardi",
        "wednesday": "mercredi",
        "thursday": "jeudi",
        "friday": "vendredi",
        "saturday": "samedi",
        "sunday": "dimanche",
    },
    region={
        "north": "dans le nord",
        "south": "dans le sud",
        "east": "dans l'est",
        "west": "dans l'ouest",
        "coast": "sur la côte",
        "mountains": "en montagne",
        "bavaria": "en Bavière",
        "saxony": "en Saxe",
        "berlin": "à Berlin",
        "hamburg": "à Hambourg",
    },
    phenomenon={
        "rain": "pluie",
        "snow": "neige",
        "sun": "soleil",
        "fog": "brouillard",
        "thunderstorm": "orages",
        "clouds": "nuages",
        "hail": "grêle",
        "frost": "gel",
        "storm": "tempêtes",
        "showers": "averses",
    },
    direction={
        "north": "du nord",
        "northeast": "du nord-est",
        "east": "de l'est",
        "southeast": "du sud-est",
        "south": "du sud",
        "southwest": "du sud-ouest",
        "west": "de l'ouest",
        "northwest": "du nord-ouest",
    },
    likelihood={"certain": "", "probable": " probablement", "possible": " peut-être"},
    strength={"light": "faible", "moderate": "modéré", "strong": "fort"},
    extreme={"lowest": "minimum", "highest": "maximum"},
    relation={"but": "mais", "and": "et"},
    agreement={"some": some, "any": lambda clause: "d'" if clause.phenomenon in VOWEL else "de "},
    below="moins",
    unit=lambda degrees: "degré" if degrees < 2 else "degrés",
    negation=("ne", "n'", "pas"),
    of_wind=("vent", "soufflera"),
)
