"""Spanish: bare nouns, `no` before the verb, and a likelihood adverb that opens one of the ways."""

from __future__ import annotations

from sonar_slt.data.corpora.toy.sentences.grammar import Ending, Grammar, Way

PHRASE = Ending(
    temperature=", con una temperatura {extreme} de {degrees}",
    wind=", con viento {strength} {direction}",
    contrast="{relation} habrá {phenomenon} {region}",
)
CLAUSE = Ending(
    temperature=" y la temperatura {extreme} será de {degrees}",
    wind=" y soplará viento {strength} {direction}",
    contrast="{relation} {region} tendremos {phenomenon}",
)

GRAMMAR = Grammar(
    ways=(
        Way(
            says="{time} {likelihood}habrá {phenomenon} {region}",
            denies="{time} {likelihood}no habrá {phenomenon} {region}",
            ending=PHRASE,
        ),
        Way(
            says="{region} {likelihood}tendremos {phenomenon} {time}",
            denies="{region} {likelihood}no tendremos {phenomenon} {time}",
            ending=CLAUSE,
        ),
        Way(
            says="{likelihood}habrá que contar con {phenomenon} {region} {time}",
            denies="{likelihood}no habrá que contar con {phenomenon} {region} {time}",
            ending=PHRASE,
        ),
    ),
    time={
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
    },
    region={
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
    },
    phenomenon={
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
    },
    direction={
        "north": "del norte",
        "northeast": "del noreste",
        "east": "del este",
        "southeast": "del sureste",
        "south": "del sur",
        "southwest": "del suroeste",
        "west": "del oeste",
        "northwest": "del noroeste",
    },
    likelihood={"certain": "", "probable": "probablemente ", "possible": "posiblemente "},
    strength={"light": "flojo", "moderate": "moderado", "strong": "fuerte"},
    extreme={"lowest": "mínima", "highest": "máxima"},
    relation={"but": ", pero", "and": " y"},
    below="menos",
    unit=lambda degrees: "grado" if degrees == 1 else "grados",
    negation=("no",),
    of_temperature=("temperatura",),
    of_wind=("viento", "soplará"),
)
