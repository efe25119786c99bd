"""The languages of NLLB and SONAR: the only list of their codes, English names and scripts.

A code is an ISO 639-3 language and an ISO 15924 script, as in FLORES-200; `python -m sonar_slt.languages` prints all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType

from sonar_slt.errors import UserError


@dataclass(frozen=True, slots=True)
class Language:
    """A language in one script."""

    code: str
    name: str
    script: str
    right_to_left: bool


SCRIPTS: Mapping[str, str] = MappingProxyType(
    {
        "Arab": "Arabic",
        "Armn": "Armenian",
        "Beng": "Bengali",
        "Cyrl": "Cyrillic",
        "Deva": "Devanagari",
        "Ethi": "Ethiopic",
        "Geor": "Georgian",
        "Grek": "Greek",
        "Gujr": "Gujarati",
        "Guru": "Gurmukhi",
        "Hang": "Hangul",
        "Hans": "Simplified Han",
        "Hant": "Traditional Han",
        "Hebr": "Hebrew",
        "Jpan": "Japanese",
        "Khmr": "Khmer",
        "Knda": "Kannada",
        "Laoo": "Lao",
        "Latn": "Latin",
        "Mlym": "Malayalam",
        "Mymr": "Myanmar",
        "Orya": "Odia",
        "Sinh": "Sinhala",
        "Taml": "Tamil",
        "Telu": "Telugu",
        "Tfng": "Tifinagh",
        "Thai": "Thai",
        "Tibt": "Tibetan",
    }
)
RIGHT_TO_LEFT = frozenset({"Arab", "Hebr"})
UNSPACED = frozenset({"Hans", "Hant", "Jpan", "Khmr", "Laoo", "Mymr", "Thai", "Tibt"})
"""Scripts that put no blank between words."""

# `sat_Beng` is NLLB's own code: its Santali text is written in Ol Chiki.
_NAMES = """
ace_Arab Acehnese | ace_Latn Acehnese | acm_Arab Mesopotamian Arabic | acq_Arab Ta'izzi-Adeni Arabic
aeb_Arab Tunisian Arabic | afr_Latn Afrikaans | ajp_Arab South Levantine Arabic | aka_Latn Akan | amh_Ethi Amharic
apc_Arab North Levantine Arabic | arb_Arab Modern Standard Arabic | ars_Arab Najdi Arabic | ary_Arab Moroccan Arabic
arz_Arab Egyptian Arabic | asm_Beng Assamese | ast_Latn Asturian | awa_Deva Awadhi | ayr_Latn Central Aymara
azb_Arab South Azerbaijani | azj_Latn North Azerbaijani | bak_Cyrl Bashkir | bam_Latn Bambara | ban_Latn Balinese
bel_Cyrl Belarusian | bem_Latn Bemba | ben_Beng Bengali | bho_Deva Bhojpuri | bjn_Arab Banjar | bjn_Latn Banjar
bod_Tibt Standard Tibetan | bos_Latn Bosnian | bug_Latn Buginese | bul_Cyrl Bulgarian | cat_Latn Catalan
ceb_Latn Cebuano | ces_Latn Czech | cjk_Latn Chokwe | ckb_Arab Central Kurdish | crh_Latn Crimean Tatar
cym_Latn Welsh | dan_Latn Danish | deu_Latn German | dik_Latn Southwestern Dinka | dyu_Latn Dyula | dzo_Tibt Dzongkha
ell_Grek Greek | eng_Latn English | epo_Latn Esperanto | est_Latn Estonian | eus_Latn Basque | ewe_Latn Ewe
fao_Latn Faroese | fij_Latn Fijian | fin_Latn Finnish | fon_Latn Fon | fra_Latn French | fur_Latn Friulian
fuv_Latn Nigerian Fulfulde | gaz_Latn West Central Oromo | gla_Latn Scottish Gaelic | gle_Latn Irish
glg_Latn Galician | grn_Latn Guarani | guj_Gujr Gujarati | hat_Latn Haitian Creole | hau_Latn Hausa | heb_Hebr Hebrew
hin_Deva Hindi | hne_Deva Chhattisgarhi | hrv_Latn Croatian | hun_Latn Hungarian | hye_Armn Armenian | ibo_Latn Igbo
ilo_Latn Ilocano | ind_Latn Indonesian | isl_Latn Icelandic | ita_Latn Italian | jav_Latn Javanese
jpn_Jpan Japanese | kab_Latn Kabyle | kac_Latn Jingpho | kam_Latn Kamba | kan_Knda Kannada | kas_Arab Kashmiri
kas_Deva Kashmiri | kat_Geor Georgian | kaz_Cyrl Kazakh | kbp_Latn Kabiyè | kea_Latn Kabuverdianu
khk_Cyrl Halh Mongolian | khm_Khmr Khmer | kik_Latn Kikuyu | kin_Latn Kinyarwanda | kir_Cyrl Kyrgyz
kmb_Latn Kimbundu | kmr_Latn Northern Kurdish | knc_Arab Central Kanuri | knc_Latn Central Kanuri | kon_Latn Kikongo
kor_Hang Korean | lao_Laoo Lao | lij_Latn Ligurian | lim_Latn Limburgish | lin_Latn Lingala | lit_Latn Lithuanian
lmo_Latn Lombard | ltg_Latn Latgalian | ltz_Latn Luxembourgish | lua_Latn Luba-Kasai | lug_Latn Ganda | luo_Latn Luo
lus_Latn Mizo | lvs_Latn Standard Latvian | mag_Deva Magahi | mai_Deva Maithili | mal_Mlym Malayalam
mar_Deva Marathi | min_Latn Minangkabau | mkd_Cyrl Macedonian | mlt_Latn Maltese | mni_Beng Meitei | mos_Latn Mossi
mri_Latn Maori | mya_Mymr Burmese | nld_Latn Dutch | nno_Latn Norwegian Nynorsk | nob_Latn Norwegian Bokmål
npi_Deva Nepali | nso_Latn Northern Sotho | nus_Latn Nuer | nya_Latn Nyanja | oci_Latn Occitan | ory_Orya Odia
pag_Latn Pangasinan | pan_Guru Eastern Panjabi | pap_Latn Papiamento | pbt_Arab Southern Pashto
pes_Arab Western Persian | plt_Latn Plateau Malagasy | pol_Latn Polish | por_Latn Portuguese | prs_Arab Dari
quy_Latn Ayacucho Quechua | ron_Latn Romanian | run_Latn Rundi | rus_Cyrl Russian | sag_Latn Sango
san_Deva Sanskrit | sat_Beng Santali | scn_Latn Sicilian | shn_Mymr Shan | sin_Sinh Sinhala | slk_Latn Slovak
slv_Latn Slovenian | smo_Latn Samoan | sna_Latn Shona | snd_Arab Sindhi | som_Latn Somali | sot_Latn Southern Sotho
spa_Latn Spanish | als_Latn Tosk Albanian | srd_Latn Sardinian | srp_Cyrl Serbian | ssw_Latn Swati
sun_Latn Sundanese | swe_Latn Swedish | swh_Latn Swahili | szl_Latn Silesian | tam_Taml Tamil | taq_Latn Tamasheq
taq_Tfng Tamasheq | tat_Cyrl Tatar | tel_Telu Telugu | tgk_Cyrl Tajik | tgl_Latn Tagalog | tha_Thai Thai
tir_Ethi Tigrinya | tpi_Latn Tok Pisin | tsn_Latn Tswana | tso_Latn Tsonga | tuk_Latn Turkmen | tum_Latn Tumbuka
tur_Latn Turkish | twi_Latn Twi | tzm_Tfng Central Atlas Tamazight | uig_Arab Uyghur | ukr_Cyrl Ukrainian
umb_Latn Umbundu | urd_Arab Urdu | uzn_Latn Northern Uzbek | vec_Latn Venetian | vie_Latn Vietnamese | war_Latn Waray
wol_Latn Wolof | xho_Latn Xhosa | ydd_Hebr Eastern Yiddish | yor_Latn Yoruba | yue_Hant Yue Chinese
zho_Hans Chinese | zho_Hant Chinese | zsm_Latn Standard Malay | zul_Latn Zulu
"""


def _read(table: str) -> dict[str, Language]:
    languages = {}
    for entry in table.strip().replace("\n", " | ").split(" | "):
        code, name = entry.split(" ", 1)
        script = code[-4:]
        languages[code] = Language(code, name, SCRIPTS[script], script in RIGHT_TO_LEFT)
    return languages


LANGUAGES: Mapping[str, Language] = MappingProxyType(_read(_NAMES))


def language(code: str) -> Language:
    """The language of a code; for anything else an error that names the nearest codes."""
    if code in LANGUAGES:
        return LANGUAGES[code]
    near = " or ".join(f"{found.code} ({found.name})" for found in nearest(code))
    question = f"did you mean {near}? A" if near else "a"
    raise UserError(
        f"Unknown language {code!r}: {question} code looks like eng_Latn; "
        "`python -m sonar_slt.languages` lists them all."
    )


def nearest(text: str) -> list[Language]:
    """Languages that somebody who wrote `text` may have meant, likeliest first."""
    wanted = text.casefold().replace("-", "_").strip()
    named = [each for each in LANGUAGES.values() if wanted and wanted in each.name.casefold().split()]
    coded = [each for each in LANGUAGES.values() if each.code[:3] == wanted.split("_")[0]]
    if named or coded:
        return sorted(named + coded, key=lambda each: "Standard" not in each.name)[:3]
    spellings = {each.code.casefold(): each for each in LANGUAGES.values()}
    spellings |= {each.name.casefold(): each for each in LANGUAGES.values()}
    return [spellings[found] for found in get_close_matches(wanted, spellings, n=3, cutoff=0.7)]


if __name__ == "__main__":
    for each in LANGUAGES.values():
        print(f"{each.code}  {each.name} ({each.script})")
