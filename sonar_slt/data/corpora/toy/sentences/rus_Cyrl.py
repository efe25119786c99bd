"""Russian: prepositions and cases, the genitive of what is absent or awaited, and likelihood between commas."""

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
    "today": "сегодня",
    "tonight": "этой ночью",
    "tomorrow": "завтра",
    "monday": "в понедельник",
    "tuesday": "во вторник",
    "wednesday": "в среду",
    "thursday": "в четверг",
    "friday": "в пятницу",
    "saturday": "в субботу",
    "sunday": "в воскресенье",
}
REGION: dict[Region, str] = {
    "north": "на севере",
    "south": "на юге",
    "east": "на востоке",
    "west": "на западе",
    "coast": "на побережье",
    "mountains": "в горах",
    "bavaria": "в Баварии",
    "saxony": "в Саксонии",
    "berlin": "в Берлине",
    "hamburg": "в Гамбурге",
}
NOMINATIVE: dict[Phenomenon, str] = {
    "rain": "дождь",
    "snow": "снег",
    "sun": "солнце",
    "fog": "туман",
    "thunderstorm": "гроза",
    "clouds": "облачность",
    "hail": "град",
    "frost": "мороз",
    "storm": "буря",
    "showers": "ливень",
}
GENITIVE: dict[Phenomenon, str] = {
    "rain": "дождя",
    "snow": "снега",
    "sun": "солнца",
    "fog": "тумана",
    "thunderstorm": "грозы",
    "clouds": "облачности",
    "hail": "града",
    "frost": "мороза",
    "storm": "бури",
    "showers": "ливня",
}
LIKELIHOOD: dict[Likelihood, str] = {"certain": "", "probable": ", вероятно,", "possible": ", возможно,"}
DIRECTION: dict[Direction, str] = {
    "north": "с севера",
    "northeast": "с северо-востока",
    "east": "с востока",
    "southeast": "с юго-востока",
    "south": "с юга",
    "southwest": "с юго-запада",
    "west": "с запада",
    "northwest": "с северо-запада",
}
STRENGTH: dict[Strength, str] = {"light": "слабый", "moderate": "умеренный", "strong": "сильный"}
EXTREME: dict[Extreme, str] = {"lowest": "минимальная", "highest": "максимальная"}
CONJUNCTION: dict[Relation, str] = {"but": "но", "and": "а"}
"""`а` rather than `и`: it sets two places side by side, and its comma never depends on what the clauses share."""


def sentences(meaning: Meaning) -> list[str]:
    """Time first; place first; and the source of the news first, with what is absent before the verb."""
    time, place, likelihood = TIME[meaning.time], REGION[meaning.region], LIKELIHOOD[meaning.likelihood]
    noun, awaited = NOMINATIVE[meaning.phenomenon], GENITIVE[meaning.phenomenon]
    negation = "не " if meaning.negated else ""
    thing = awaited if meaning.negated else noun
    forecast = f"{awaited} не будет" if meaning.negated else f"будет {noun}"
    return [
        finished(f"{time} {place}{likelihood} {negation}будет {thing}{_second(meaning)}"),
        finished(f"{place} {time}{likelihood} {negation}стоит ждать {awaited}{_awaited(meaning)}"),
        finished(f"по прогнозу, {place} {time}{likelihood} {forecast}{_second(meaning)}"),
    ]


def _second(meaning: Meaning) -> str:
    match meaning.second:
        case Temperature(extreme, degrees):
            return f", {EXTREME[extreme]} температура составит {_degrees(degrees)}"
        case Wind(direction, strength):
            return f", подует {STRENGTH[strength]} ветер {DIRECTION[direction]}"
        case Contrast(relation, region, phenomenon):
            return f", {CONJUNCTION[relation]} {REGION[region]} будет {NOMINATIVE[phenomenon]}"
    return ""


def _awaited(meaning: Meaning) -> str:
    match meaning.second:
        case Temperature(extreme, degrees):
            return f", а {EXTREME[extreme]} температура будет {_degrees(degrees)}"
        case Wind(direction, strength):
            return f", а {DIRECTION[direction]} подует {STRENGTH[strength]} ветер"
        case Contrast(relation, region, phenomenon):
            return f", {CONJUNCTION[relation]} {REGION[region]} стоит ждать {GENITIVE[phenomenon]}"
    return ""


def _degrees(degrees: int) -> str:
    number = f"минус {-degrees}" if degrees < 0 else f"{degrees}"
    last, teens = abs(degrees) % 10, 11 <= abs(degrees) <= 14
    if last == 1 and not teens:
        return f"{number} градус"
    return f"{number} градуса" if last in (2, 3, 4) and not teens else f"{number} градусов"
