"""Turkish: verb last, places and directions as case suffixes, negation and possibility inside the verb."""

from __future__ import annotations

from sonar_slt.data.corpora.toy.sentences.grammar import Ending, Grammar, Way

APPOSED = Ending(
    temperature=", {extreme} sıcaklık {degrees} olacak",
    wind=", rüzgâr {direction} {strength} esecek",
    contrast="{relation} {region} {phenomenon} görülecek",
)
JOINED = Ending(
    temperature=" ve sıcaklık {extreme} {degrees} olacak",
    wind=" ve {direction} {strength} rüzgâr esecek",
    contrast="{relation} {region} {phenomenon} olacak",
)

GRAMMAR = Grammar(
    ways=(
        Way(says="{time} {region}{likelihood} {phenomenon} {be_seen}", ending=APPOSED),
        Way(says="{region} {time}{likelihood} {phenomenon} {be}", ending=JOINED),
        Way(says="tahminlere göre {time} {region}{likelihood} {phenomenon} {be}", ending=APPOSED),
    ),
    time={
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
    },
    region={
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
    },
    phenomenon={
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
    },
    direction={
        "north": "kuzeyden",
        "northeast": "kuzeydoğudan",
        "east": "doğudan",
        "southeast": "güneydoğudan",
        "south": "güneyden",
        "southwest": "güneybatıdan",
        "west": "batıdan",
        "northwest": "kuzeybatıdan",
    },
    likelihood={"certain": "", "probable": " muhtemelen", "possible": ""},
    strength={"light": "hafif", "moderate": "orta kuvvette", "strong": "kuvvetli"},
    extreme={"lowest": "en düşük", "highest": "en yüksek"},
    relation={"but": ", ama", "and": " ve"},
    verbs={
        "be": {
            (False, False): "olacak",
            (False, True): "olmayacak",
            (True, False): "olabilir",
            (True, True): "olmayabilir",
        },
        "be_seen": {
            (False, False): "görülecek",
            (False, True): "görülmeyecek",
            (True, False): "görülebilir",
            (True, True): "görülmeyebilir",
        },
    },
    below="eksi",
    unit=lambda _: "derece",
    of_temperature=("sıcaklık",),
    of_wind=("rüzgâr", "esecek"),
)
