"""Small corpora in five languages for tests of scores, and systems that translate them well and badly."""

from __future__ import annotations

import random

SENTENCES = {
    "deu_Latn": [
        "Morgen schneit es im Norden, aber an der Küste scheint die Sonne.",
        "Über dem Süden fällt heute Nacht kräftiger Regen.",
        "Am Samstag weht ein schwacher Wind aus West!",
        "Größere Höhen: Schnee und Frost am Wochenende.",
        "Im Westen ist es am Montag trüb und für die Jahreszeit mild.",
        "Die U-Bahn fährt, so geht's auch bei Schnee.",
    ],
    "eng_Latn": [
        "Tomorrow it won't rain in the mountains, but the coast stays cloudy.",
        "Heavy showers cross the south tonight.",
        "On Saturday a light breeze blows from the west!",
        "Higher up: snow and frost at the weekend.",
        "Monday is dull in the west, and mild for the time of year.",
        "The well-known fog is back in the valleys.",
    ],
    "tur_Latn": [
        "Yarın kuzeyde kar yağabilir, ama kıyıda güneş parlayacak.",
        "Bu gece güneyde şiddetli yağmur bekleniyor.",
        "Cumartesi günü batıdan hafif rüzgâr esecek!",
        "Yükseklerde: hafta sonu kar ve don.",
        "İzmir’de ılık, Iğdır’da soğuk bir gün olacak.",
        "Pazartesi batıda hava kapalı ve mevsimine göre yumuşak.",
    ],
    "zho_Hans": [
        "明天北方可能下雪，但海边有阳光。",
        "今夜南方有大雨。",
        "星期六西风较弱！",
        "高山地区：周末有雪和霜冻。",
        "星期一西部多云，气温偏高。",
        "山谷里又有雾了。",
    ],
    "jpn_Jpan": [
        "明日は北部で雪が降りますが、海岸では晴れるでしょう。",
        "今夜は南部で激しい雨が降ります。",
        "土曜日は西から弱い風が吹きます！",
        "高い山では、週末に雪と霜があります。",
        "月曜日は西部で曇り、この季節としては暖かいです。",
        "谷にまた霧が出ています。",
    ],
}
TOKENIZERS = {"zho_Hans": "zh", "jpn_Jpan": "ja-mecab"}


def is_spaced(lang: str) -> bool:
    return lang not in TOKENIZERS


def said(lang: str, n: int = 20, seed: int = 1) -> tuple[list[str], list[list[str]]]:
    """Hypotheses with words changed, lost and moved, and one to three references each; one hypothesis is empty."""
    rng = random.Random(seed)
    glue = " " if is_spaced(lang) else ""
    pool = [line.split() if glue else list(line) for line in SENTENCES[lang]]
    hypotheses, references = [], []
    for number in range(n):
        words = rng.choice(pool) + (rng.choice(pool) if number % 5 == 0 else [])
        references.append([glue.join(words), *(glue.join(rng.sample(words, len(words))) for _ in range(number % 3))])
        heard = [word if rng.random() < 0.8 else rng.choice(rng.choice(pool)) for word in words if rng.random() < 0.9]
        first, last = sorted(rng.randrange(len(heard) + 1) for _ in range(2))
        hypotheses.append(glue.join([*heard[last:], *heard[first:last], *heard[:first]] if number % 2 else heard))
    hypotheses[7] = ""
    return hypotheses, references
