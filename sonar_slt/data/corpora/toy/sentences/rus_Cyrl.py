"""Russian: prepositions and cases, the genitive of what is absent or awaited, and likelihood between commas."""

from __future__ import annotations

from sonar_slt.data.corpora.toy.sentences.grammar import Ending, Grammar, Way

SENTENCE = Ending(
    temperature=", {extreme} температура составит {degrees}",
    wind=", подует {strength} ветер {direction}",
    contrast=", {relation} {region} будет {phenomenon}",
)
AWAITED = Ending(
    temperature=", а {extreme} температура будет {degrees}",
    wind=", а {direction} подует {strength} ветер",
    contrast=", {relation} {region} стоит ждать {genitive}",
)

GENITIVE = {
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


def unit(degrees: int) -> str:
    """The form that a number asks for: by its last digit, and another one for the teens."""
    last, teens = degrees % 10, 11 <= degrees <= 14
    if last == 1 and not teens:
        return "градус"
    return "градуса" if last in (2, 3, 4) and not teens else "градусов"


GRAMMAR = Grammar(
    ways=(
        Way(
            says="{time} {region}{likelihood} будет {phenomenon}",
            denies="{time} {region}{likelihood} не будет {genitive}",
            ending=SENTENCE,
        ),
        Way(
            says="{region} {time}{likelihood} стоит ждать {genitive}",
            denies="{region} {time}{likelihood} не стоит ждать {genitive}",
            ending=AWAITED,
        ),
        Way(
            says="по прогнозу, {region} {time}{likelihood} будет {phenomenon}",
            denies="по прогнозу, {region} {time}{likelihood} {genitive} не будет",
            ending=SENTENCE,
        ),
    ),
    time={
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
    },
    region={
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
    },
    phenomenon={
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
    },
    direction={
        "north": "с севера",
        "northeast": "с северо-востока",
        "east": "с востока",
        "southeast": "с юго-востока",
        "south": "с юга",
        "southwest": "с юго-запада",
        "west": "с запада",
        "northwest": "с северо-запада",
    },
    likelihood={"certain": "", "probable": ", вероятно,", "possible": ", возможно,"},
    strength={"light": "слабый", "moderate": "умеренный", "strong": "сильный"},
    extreme={"lowest": "минимальная", "highest": "максимальная"},
    # `а` rather than `и`: it sets two places side by side, and its comma never depends on what the clauses share
    relation={"but": "но", "and": "а"},
    forms={"genitive": ("phenomenon", GENITIVE)},
    below="минус",
    unit=unit,
    negation=("не", "нет"),
    of_temperature=("температура",),
    of_wind=("ветер", "подует"),
)
