"""Spanish: bare nouns, `no` before the verb, and a likelihood adverb that opens one of the templates."""

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
    "today": "hoy",
    "tonight": "esta noche",
    "tomorrow": "mañana",
    "monday": "el lunes",
    "tuesday": "el martes",
    "wednesday": "el miércoles",
    "thursday": "el jueves",
    "friday": "el viernes",
    "saturday": "el sábado",
    "sunday": "el domingo",
}
REGION: dict[Region, str] = {
    "north": "en el norte",
    "south": "en el sur",
    "east": "en el este",
    "west": "en el oeste",
    "coast": "en la costa",
    "mountains": "en las montañas",
    "bavaria": "en Baviera",
    "saxony": "en Sajonia",
    "berlin": "en Berlín",
    "hamburg": "en Hamburgo",
}
PHENOMENON: dict[Phenomenon, str] = {
    "rain": "lluvia",
    "snow": "nieve",
    "sun": "sol",
    "fog": "niebla",
    "thunderstorm": "tormentas",
    "clouds": "nubes",
    "hail": "granizo",
    "frost": "heladas",
    "storm": "temporal",
    "showers": "chubascos",
}
LIKELIHOOD: dict[Likelihood, str] = {"certain": "", "probable": "probablemente ", "possible": "posiblemente "}
DIRECTION: dict[Direction, str] = {
    "north": "norte",
    "northeast": "noreste",
    "east": "este",
    "southeast": "sureste",
    "south": "sur",
    "southwest": "suroeste",
    "west": "oeste",
    "northwest": "noroeste",
}
STRENGTH: dict[Strength, str] = {"light": "flojo", "moderate": "moderado", "strong": "fuerte"}
EXTREME: dict[Extreme, str] = {"lowest": "mínima", "highest": "máxima"}
RELATION: dict[Relation, str] = {"but": ", pero", "and": " y"}


def sentences(meaning: Meaning) -> list[str]:
    """Time first; place first; and likelihood, negation or verb first, with place before time."""
    time, place, thing = TIME[meaning.time], REGION[meaning.region], PHENOMENON[meaning.phenomenon]
    attitude = LIKELIHOOD[meaning.likelihood] + ("no " if meaning.negated else "")
    return [
        finished(f"{time} {attitude}habrá {thing} {place}{_phrase(meaning)}"),
        finished(f"{place} {attitude}tendremos {thing} {time}{_clause(meaning)}"),
        finished(f"{attitude}habrá que contar con {thing} {place} {time}{_phrase(meaning)}"),
    ]


def _phrase(meaning: Meaning) -> str:
    match meaning.second:
        case Temperature(extreme, degrees):
            return f", con una temperatura {EXTREME[extreme]} de {_degrees(degrees)}"
        case Wind(direction, strength):
            return f", con viento {STRENGTH[strength]} del {DIRECTION[direction]}"
        case Contrast(relation, region, phenomenon):
            return f"{RELATION[relation]} habrá {PHENOMENON[phenomenon]} {REGION[region]}"
    return ""


def _clause(meaning: Meaning) -> str:
    match meaning.second:
        case Temperature(extreme, degrees):
            return f" y la temperatura {EXTREME[extreme]} será de {_degrees(degrees)}"
        case Wind(direction, strength):
            return f" y soplará viento {STRENGTH[strength]} del {DIRECTION[direction]}"
        case Contrast(relation, region, phenomenon):
            return f"{RELATION[relation]} {REGION[region]} tendremos {PHENOMENON[phenomenon]}"
    return ""


def _degrees(degrees: int) -> str:
    number = f"menos {-degrees}" if degrees < 0 else f"{degrees}"
    return f"{number} grado" if abs(degrees) == 1 else f"{number} grados"
