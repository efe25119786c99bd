"""Turkish: verb last, places and directions as case suffixes, negation and possibility inside the verb."""

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
    "today": "bugün",
    "tonight": "bu gece",
    "tomorrow": "yarın",
    "monday": "pazartesi günü",
    "tuesday": "salı günü",
    "wednesday": "çarşamba günü",
    "thursday": "perşembe günü",
    "friday": "cuma günü",
    "saturday": "cumartesi günü",
    "sunday": "pazar günü",
}
REGION: dict[Region, str] = {
    "north": "kuzeyde",
    "south": "güneyde",
    "east": "doğuda",
    "west": "batıda",
    "coast": "kıyıda",
    "mountains": "dağlarda",
    "bavaria": "Bavyera'da",
    "saxony": "Saksonya'da",
    "berlin": "Berlin'de",
    "hamburg": "Hamburg'da",
}
PHENOMENON: dict[Phenomenon, str] = {
    "rain": "yağmur",
    "snow": "kar",
    "sun": "güneş",
    "fog": "sis",
    "thunderstorm": "gök gürültülü fırtına",
    "clouds": "bulut",
    "hail": "dolu yağışı",
    "frost": "don",
    "storm": "fırtına",
    "showers": "sağanak",
}
LIKELIHOOD: dict[Likelihood, str] = {"certain": "", "probable": " muhtemelen", "possible": ""}
BE: dict[tuple[bool, bool], str] = {
    (False, False): "olacak",
    (False, True): "olmayacak",
    (True, False): "olabilir",
    (True, True): "olmayabilir",
}
BE_SEEN: dict[tuple[bool, bool], str] = {
    (False, False): "görülecek",
    (False, True): "görülmeyecek",
    (True, False): "görülebilir",
    (True, True): "görülmeyebilir",
}
"""Verbs by whether the phenomenon is merely possible, and whether it is negated."""
DIRECTION: dict[Direction, str] = {
    "north": "kuzeyden",
    "northeast": "kuzeydoğudan",
    "east": "doğudan",
    "southeast": "güneydoğudan",
    "south": "güneyden",
    "southwest": "güneybatıdan",
    "west": "batıdan",
    "northwest": "kuzeybatıdan",
}
STRENGTH: dict[Strength, str] = {"light": "hafif", "moderate": "orta kuvvette", "strong": "kuvvetli"}
EXTREME: dict[Extreme, str] = {"lowest": "en düşük", "highest": "en yüksek"}
RELATION: dict[Relation, str] = {"but": ", ama", "and": " ve"}


def sentences(meaning: Meaning) -> list[str]:
    """Time first; place first; and the source of the news first."""
    time, place, likelihood = TIME[meaning.time], REGION[meaning.region], LIKELIHOOD[meaning.likelihood]
    thing, form = PHENOMENON[meaning.phenomenon], (meaning.likelihood == "possible", meaning.negated)
    return [
        finished(f"{time} {place}{likelihood} {thing} {BE_SEEN[form]}{_apposed(meaning)}"),
        finished(f"{place} {time}{likelihood} {thing} {BE[form]}{_joined(meaning)}"),
        finished(f"tahminlere göre {time} {place}{likelihood} {thing} {BE[form]}{_apposed(meaning)}"),
    ]


def _apposed(meaning: Meaning) -> str:
    match meaning.second:
        case Temperature(extreme, degrees):
            return f", {EXTREME[extreme]} sıcaklık {_degrees(degrees)} olacak"
        case Wind(direction, strength):
            return f", rüzgâr {DIRECTION[direction]} {STRENGTH[strength]} esecek"
        case Contrast(relation, region, phenomenon):
            return f"{RELATION[relation]} {REGION[region]} {PHENOMENON[phenomenon]} görülecek"
    return ""


def _joined(meaning: Meaning) -> str:
    match meaning.second:
        case Temperature(extreme, degrees):
            return f" ve sıcaklık {EXTREME[extreme]} {_degrees(degrees)} olacak"
        case Wind(direction, strength):
            return f" ve {DIRECTION[direction]} {STRENGTH[strength]} rüzgâr esecek"
        case Contrast(relation, region, phenomenon):
            return f"{RELATION[relation]} {REGION[region]} {PHENOMENON[phenomenon]} olacak"
    return ""


def _degrees(degrees: int) -> str:
    return f"eksi {-degrees} derece" if degrees < 0 else f"{degrees} derece"
