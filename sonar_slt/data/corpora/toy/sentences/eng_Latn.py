"""English: subject first, likelihood in the auxiliary, and `no` before the noun for what will not come."""

from __future__ import annotations

from sonar_slt.data.corpora.toy.meaning import (
    Contrast,
    Direction,
    Extreme,
    Likelihood,
    Meaning,
    Phenomenon,
    Region,
    Strength,
    Temperature,
    Time,
    Wind,
)
from sonar_slt.data.corpora.toy.sentences.orthography import finished

TIME: dict[Time, str] = {
    "today": "today",
    "tonight": "tonight",
    "tomorrow": "tomorrow",
    "monday": "on Monday",
    "tuesday": "on Tuesday",
    "wednesday": "on Wednesday",
    "thursday": "on Thursday",
    "friday": "on Friday",
    "saturday": "on Saturday",
    "sunday": "on Sunday",
}
REGION: dict[Region, str] = {
    "north": "the north",
    "south": "the south",
    "east": "the east",
    "west": "the west",
    "coast": "the coast",
    "mountains": "the mountains",
    "bavaria": "Bavaria",
    "saxony": "Saxony",
    "berlin": "Berlin",
    "hamburg": "Hamburg",
}
PHENOMENON: dict[Phenomenon, str] = {
    "rain": "rain",
    "snow": "snow",
    "sun": "sunshine",
    "fog": "fog",
    "thunderstorm": "thunderstorms",
    "clouds": "clouds",
    "hail": "hail",
    "frost": "frost",
    "storm": "storms",
    "showers": "showers",
}
LIKELIHOOD: dict[Likelihood, str] = {"certain": "will", "probable": "will probably", "possible": "may"}
DIRECTION: dict[Direction, str] = {
    "north": "north",
    "northeast": "northeast",
    "east": "east",
    "southeast": "southeast",
    "south": "south",
    "southwest": "southwest",
    "west": "west",
    "northwest": "northwest",
}
STRENGTH: dict[Strength, str] = {"light": "light", "moderate": "moderate", "strong": "strong"}
BOUND: dict[Extreme, str] = {"lowest": "low", "highest": "high"}
SUPERLATIVE: dict[Extreme, str] = {"lowest": "lowest", "highest": "highest"}


def sentences(meaning: Meaning) -> list[str]:
    """Time first; the region as the subject; and `there` first, with place before time."""
    time, place, likelihood = TIME[meaning.time], _place(meaning.region), LIKELIHOOD[meaning.likelihood]
    thing = f"no {PHENOMENON[meaning.phenomenon]}" if meaning.negated else PHENOMENON[meaning.phenomenon]
    return [
        finished(f"{time} the weather {place} {likelihood} bring {thing}{_phrase(meaning)}"),
        finished(f"{REGION[meaning.region]} {likelihood} see {thing} {time}{_clause(meaning)}"),
        finished(f"there {likelihood} be {thing} {place} {time}{_phrase(meaning)}"),
    ]


def _place(region: Region) -> str:
    return f"{'on' if region == 'coast' else 'in'} {REGION[region]}"


def _phrase(meaning: Meaning) -> str:
    match meaning.second:
        case Temperature(extreme, degrees):
            return f", with a {BOUND[extreme]} of {_degrees(degrees)}"
        case Wind(direction, strength):
            return f", with a {STRENGTH[strength]} wind from the {DIRECTION[direction]}"
        case Contrast(relation, region, phenomenon):
            return f", {relation} there will be {PHENOMENON[phenomenon]} {_place(region)}"
    return ""


def _clause(meaning: Meaning) -> str:
    match meaning.second:
        case Temperature(extreme, degrees):
            return f", and the {SUPERLATIVE[extreme]} temperature will be {_degrees(degrees)}"
        case Wind(direction, strength):
            return f", and a {STRENGTH[strength]} wind will blow from the {DIRECTION[direction]}"
        case Contrast(relation, region, phenomenon):
            return f", {relation} {REGION[region]} will see {PHENOMENON[phenomenon]}"
    return ""


def _degrees(degrees: int) -> str:
    number = f"minus {-degrees}" if degrees < 0 else f"{degrees}"
    return f"{number} degree" if abs(degrees) == 1 else f"{number} degrees"
