"""The one list of languages, against the tokenizer that trained with it."""

import pytest

from sonar_slt.errors import UserError
from sonar_slt.languages import LANGUAGES, language


def test_the_list_is_the_tokenizers() -> None:
    from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES

    assert len(LANGUAGES) == 202
    assert set(LANGUAGES) == set(FAIRSEQ_LANGUAGE_CODES)


def test_each_entry_is_complete_and_unlike_the_others() -> None:
    assert all(entry.code == code and entry.name and entry.script for code, entry in LANGUAGES.items())
    assert len({(entry.name, entry.script) for entry in LANGUAGES.values()}) == len(LANGUAGES)


def test_scripts_and_directions() -> None:
    assert language("rus_Cyrl").script == "Cyrillic"
    assert {code for code, entry in LANGUAGES.items() if entry.right_to_left} == {
        code for code in LANGUAGES if code.endswith(("_Arab", "_Hebr"))
    }


@pytest.mark.parametrize(
    ("asked", "suggested"),
    [
        ("german", "deu_Latn"),
        ("German", "deu_Latn"),
        ("deu", "deu_Latn"),
        ("DEU_LATN", "deu_Latn"),
        ("deu-Latn", "deu_Latn"),
        ("dey_Latn", "deu_Latn"),
        ("Frensh", "fra_Latn"),
        ("chinese", "zho_Hans"),
        ("arabic", "arb_Arab"),
        ("Persian", "pes_Arab"),
        ("Tok Pisin", "tpi_Latn"),
    ],
)
def test_a_wrong_code_brings_the_nearest(asked: str, suggested: str) -> None:
    with pytest.raises(UserError, match=suggested) as caught:
        language(asked)
    assert repr(asked) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("asked", ["", "  ", "1234567", "q" * 300])
def test_nonsense_brings_the_form_of_a_code(asked: str) -> None:
    with pytest.raises(UserError, match=r"code looks like eng_Latn; `python -m sonar_slt\.languages`"):
        language(asked)
