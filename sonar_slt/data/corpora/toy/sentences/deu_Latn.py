"""German: verb second, verb bracket, and nouns that need an accusative after `es gibt` and a dative after `mit`."""

from __future__ import annotations

from sonar_slt.data.corpora.toy.sentences.grammar import Ending, Grammar, Way

PLURAL = frozenset({"thunderstorm", "clouds", "showers"})

CLAUSE = Ending(
    temperature=", die {extreme} liegen bei {degrees}",
    wind=", der Wind weht {strength} {direction}",
    contrast="{relation} {region} gibt es {phenomenon}",
)
PHRASE = Ending(
    temperature=", bei {limit} {degrees}",
    wind=", dazu weht der Wind {strength} {direction}",
    contrast="{relation} {region} wird es {phenomenon} geben",
)

GRAMMAR = Grammar(
    ways=(
        Way(
            says="{time} gibt es {region}{likelihood} {phenomenon}",
            denies="{time} gibt es {region}{likelihood} {no} {phenomenon}",
            ending=CLAUSE,
        ),
        Way(
            says="{region} ist {time}{likelihood} mit {dative} zu rechnen",
            denies="{region} ist {time}{likelihood} nicht mit {dative} zu rechnen",
            ending=CLAUSE,
        ),
        Way(
            says="es wird {time} {region}{likelihood} {phenomenon} geben",
            denies="es wird {time} {region}{likelihood} {no} {phenomenon} geben",
            ending=PHRASE,
        ),
    ),
    time={
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
    },
    region={
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
    },
    phenomenon={
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
    },
    direction={
        "north": "aus Norden",
        "northeast": "aus Nordosten",
        "east": "aus Osten",
        "southeast": "aus Südosten",
        "south": "aus Süden",
        "southwest": "aus Südwesten",
        "west": "aus Westen",
        "northwest": "aus Nordwesten",
    },
    likelihood={"certain": "", "probable": " wahrscheinlich", "possible": " möglicherweise"},
    strength={"light": "schwach", "moderate": "mäßig", "strong": "stark"},
    extreme={"lowest": "Tiefstwerte", "highest": "Höchstwerte"},
    relation={"but": ", aber", "and": " und"},
    forms={
        "dative": ("phenomenon", {"thunderstorm": "Gewittern", "showers": "Schauern"}),
        "limit": ("extreme", {"lowest": "mindestens", "highest": "höchstens"}),
    },
    agreement={"no": lambda clause: "keine" if clause.phenomenon in PLURAL else "keinen"},
    below="minus",
    unit=lambda _: "Grad",
    negation=("nicht", "kein", "keine", "keinen"),
    of_wind=("Wind", "weht"),
)
