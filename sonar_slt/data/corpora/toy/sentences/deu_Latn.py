"""German: verb second, verb bracket, and nouns that need an accusative after `es gibt` and a dative after `mit`."""

from __future__ import annotations

from sonar_slt.data.corpora.toy.meaning import (
    Contrast,
    Direction,
    Extreme,
    Likelihood,
    Meaning,
    Phenomenon,
    Region,
    Relation,
    Strength,
    Temperature,
    Time,
    Wind,
)
from sonar_slt.data.corpora.toy.sentences.orthography import finished

TIME: dict[Time, str] = {
    "today": "heute",
    "tonight": "heute Nacht",
    "tomorrow": "morgen",
    "monday": "am Montag",
    "tuesday": "am Dienstag",
    "wednesday": "am Mittwoch",
    "thursday": "am Donnerstag",
    "friday": "am Freitag",
    "saturday": "am Samstag",
    "sunday": "am Sonntag",
}
REGION: dict[Region, str] = {
    "north": "im Norden",
    "south": "im Süden",
    "east": "im Osten",
    "west": "im Westen",
    "coast": "an der Küste",
    "mountains": "in den Bergen",
    "bavaria": "in Bayern",
    "saxony": "in Sachsen",
    "berlin": "in Berlin",
    "hamburg": "in Hamburg",
}
PHENOMENON: dict[Phenomenon, str] = {
    "rain": "Regen",
    "snow": "Schnee",
    "sun": "Sonnenschein",
    "fog": "Nebel",
    "thunderstorm": "Gewitter",
    "clouds": "Wolken",
    "hail": "Hagel",
    "frost": "Frost",
    "storm": "Sturm",
    "showers": "Schauer",
}
DATIVE: dict[Phenomenon, str] = PHENOMENON | {"thunderstorm": "Gewittern", "showers": "Schauern"}
PLURAL: frozenset[Phenomenon] = frozenset({"thunderstorm", "clouds", "showers"})
LIKELIHOOD: dict[Likelihood, str] = {"certain": "", "probable": " wahrscheinlich", "possible": " möglicherweise"}
DIRECTION: dict[Direction, str] = {
    "north": "Norden",
    "northeast": "Nordosten",
    "east": "Osten",
    "southeast": "Südosten",
    "south": "Süden",
    "southwest": "Südwesten",
    "west": "Westen",
    "northwest": "Nordwesten",
}
STRENGTH: dict[Strength, str] = {"light": "schwach", "moderate": "mäßig", "strong": "stark"}
VALUES: dict[Extreme, str] = {"lowest": "Tiefstwerte", "highest": "Höchstwerte"}
LIMIT: dict[Extreme, str] = {"lowest": "mindestens", "highest": "höchstens"}
RELATION: dict[Relation, str] = {"but": ", aber", "and": " und"}


def sentences(meaning: Meaning) -> list[str]:
    """Time first; place first; and neither first, with the verb in two parts."""
    time, place, likelihood = TIME[meaning.time], REGION[meaning.region], LIKELIHOOD[meaning.likelihood]
    thing = _accusative(meaning)
    negation = " nicht" if meaning.negated else ""
    expected = DATIVE[meaning.phenomenon]
    return [
        finished(f"{time} gibt es {place}{likelihood} {thing}{_clause(meaning)}"),
        finished(f"{place} ist {time}{likelihood}{negation} mit {expected} zu rechnen{_clause(meaning)}"),
        finished(f"es wird {time} {place}{likelihood} {thing} geben{_phrase(meaning)}"),
    ]


def _accusative(meaning: Meaning) -> str:
    noun = PHENOMENON[meaning.phenomenon]
    if not meaning.negated:
        return noun
    return f"{'keine' if meaning.phenomenon in PLURAL else 'keinen'} {noun}"


def _clause(meaning: Meaning) -> str:
    match meaning.second:
        case Temperature(extreme, degrees):
            return f", die {VALUES[extreme]} liegen bei {_degrees(degrees)}"
        case Wind(direction, strength):
            return f", der Wind weht {STRENGTH[strength]} aus {DIRECTION[direction]}"
        case Contrast(relation, region, phenomenon):
            return f"{RELATION[relation]} {REGION[region]} gibt es {PHENOMENON[phenomenon]}"
    return ""


def _phrase(meaning: Meaning) -> str:
    match meaning.second:
        case Temperature(extreme, degrees):
            return f", bei {LIMIT[extreme]} {_degrees(degrees)}"
        case Wind(direction, strength):
            return f", dazu weht der Wind {STRENGTH[strength]} aus {DIRECTION[direction]}"
        case Contrast(relation, region, phenomenon):
            return f"{RELATION[relation]} {REGION[region]} wird es {PHENOMENON[phenomenon]} geben"
    return ""


def _degrees(degrees: int) -> str:
    return f"minus {-degrees} Grad" if degrees < 0 else f"{degrees} Grad"
