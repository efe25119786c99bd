"""French: a partitive article that negation turns into `de`, elision before a vowel, `ne` and `pas` round the verb."""

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
}
REGION: dict[Region, str] = {
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
}
PARTITIVE: dict[Phenomenon, str] = {
    "rain": "de la pluie",
    "snow": "de la neige",
    "sun": "du soleil",
    "fog": "du brouillard",
    "thunderstorm": "des orages",
    "clouds": "des nuages",
    "hail": "de la grêle",
    "frost": "du gel",
    "storm": "des tempêtes",
    "showers": "des averses",
}
LIKELIHOOD: dict[Likelihood, str] = {"certain": "", "probable": " probablement", "possible": " peut-être"}
DIRECTION: dict[Direction, str] = {
    "north": "du nord",
    "northeast": "du nord-est",
    "east": "de l'est",
    "southeast": "du sud-est",
    "south": "du sud",
    "southwest": "du sud-ouest",
    "west": "de l'ouest",
    "northwest": "du nord-ouest",
}
STRENGTH: dict[Strength, str] = {"light": "faible", "moderate": "modéré", "strong": "fort"}
EXTREME: dict[Extreme, str] = {"lowest": "minimum", "highest": "maximum"}
CONJUNCTION: dict[Relation, str] = {"but": "mais", "and": "et"}


def sentences(meaning: Meaning) -> list[str]:
    """Time first; place first; and neither first, with the time before the place."""
    time, place = TIME[meaning.time], REGION[meaning.region]
    there_will_be = _verb(meaning, "il y aura", "il n'y aura")
    one_must = _verb(meaning, "il faudra", "il ne faudra")
    one_will_have = _verb(meaning, "on aura", "on n'aura")
    thing, awaited = _object(meaning), PARTITIVE[meaning.phenomenon]
    return [
        finished(f"{time}, {there_will_be} {thing} {place}{_phrase(meaning, 'il y aura')}"),
        finished(f"{place}, {one_must} s'attendre à {awaited} {time}{_clause(meaning)}"),
        finished(f"{one_will_have} {thing} {time} {place}{_phrase(meaning, 'on aura')}"),
    ]


def _verb(meaning: Meaning, positive: str, negative: str) -> str:
    likelihood = LIKELIHOOD[meaning.likelihood]
    return f"{negative}{likelihood} pas" if meaning.negated else f"{positive}{likelihood}"


def _object(meaning: Meaning) -> str:
    partitive = PARTITIVE[meaning.phenomenon]
    if not meaning.negated:
        return partitive
    noun = partitive.split()[-1]
    return f"d'{noun}" if noun[0] in "aeiou" else f"de {noun}"


def _phrase(meaning: Meaning, verb: str) -> str:
    match meaning.second:
        case Temperature(extreme, degrees):
            return f", avec un {EXTREME[extreme]} de {_degrees(degrees)}"
        case Wind(direction, strength):
            return f", avec un vent {STRENGTH[strength]} {DIRECTION[direction]}"
        case Contrast(relation, region, phenomenon):
            return f", {CONJUNCTION[relation]} {verb} {PARTITIVE[phenomenon]} {REGION[region]}"
    return ""


def _clause(meaning: Meaning) -> str:
    match meaning.second:
        case Temperature(extreme, degrees):
            return f", et le {EXTREME[extreme]} sera de {_degrees(degrees)}"
        case Wind(direction, strength):
            return f", et un vent {STRENGTH[strength]} soufflera {DIRECTION[direction]}"
        case Contrast(relation, region, phenomenon):
            return f", {CONJUNCTION[relation]} {REGION[region]} on aura {PARTITIVE[phenomenon]}"
    return ""


def _degrees(degrees: int) -> str:
    number = f"moins {-degrees}" if degrees < 0 else f"{degrees}"
    return f"{number} degré" if abs(degrees) < 2 else f"{number} degrés"
