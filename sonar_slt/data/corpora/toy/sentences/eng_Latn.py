"""English: subject first, likelihood in the auxiliary, and `no` before the noun for what will not come."""

from __future__ import annotations

from sonar_slt.data.corpora.toy.sentences.grammar import Ending, Grammar, Way

PHRASE = Ending(
    temperature=", with a {bound} of {degrees}",
    wind=", with a {strength} wind {direction}",
    contrast=", {relation} there will be {phenomenon} {at} {region}",
)
CLAUSE = Ending(
    temperature=", and the {extreme} temperature will be {degrees}",
    wind=", and a {strength} wind will blow {direction}",
    contrast=", {relation} {region} will see {phenomenon}",
)

GRAMMAR = Grammar(
    ways=(
        Way(
            says="{time} the weather {at} {region} {likelihood} bring {phenomenon}",
            denies="{time} the weather {at} {region} {likelihood} bring no {phenomenon}",
            ending=PHRASE,
        ),
        Way(
            says="{region} {likelihood} see {phenomenon} {time}",
            denies="{region} {likelihood} see no {phenomenon} {time}",
            ending=CLAUSE,
        ),
        Way(
            says="there {likelihood} be {phenomenon} {at} {region} {time}",
            denies="there {likelihood} be no {phenomenon} {at} {region} {time}",
            ending=PHRASE,
        ),
    ),
    time={
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
    },
    region={
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
    },
    phenomenon={
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
    },
    direction={
        "north": "from the north",
        "northeast": "from the northeast",
        "east": "from the east",
        "southeast": "from the southeast",
        "south": "from the south",
        "southwest": "from the southwest",
        "west": "from the west",
        "northwest": "from the northwest",
    },
    likelihood={"certain": "will", "probable": "will probably", "possible": "may"},
    strength={"light": "light", "moderate": "moderate", "strong": "strong"},
    extreme={"lowest": "lowest", "highest": "highest"},
    relation={"but": "but", "and": "and"},
    forms={"bound": ("extreme", {"lowest": "low", "highest": "high"})},
    agreement={"at": lambda clause: "on" if clause.region == "coast" else "in"},
    below="minus",
    unit=lambda degrees: "degree" if degrees == 1 else "degrees",
    negation=("no", "not"),
    of_temperature=("temperature",),
    of_wind=("wind", "blow"),
)
