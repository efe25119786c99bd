"""The translator: transformers' own sentences, whatever stands beside one; its languages, its files, its hash."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, M2M100ForConditionalGeneration, NllbTokenizer

from sonar_slt.config.build import build
from sonar_slt.config.compose import examine
from sonar_slt.config.floorplan import Floorplan
from sonar_slt.config.location import conf_folder
from sonar_slt.errors import UserError
from sonar_slt.translator import NllbTranslator
from tests.translator.speaking import LANGUAGES, SENTENCES, write_translator

EXACT = {"dtype": "float64", "max_tokens": 8}


@pytest.fixture
def copy(nllb: Path, tmp_path: Path) -> Path:
    """A translator's folder that may be spoilt."""
    return Path(shutil.copytree(nllb, tmp_path / "copy"))


def translated(translator: NllbTranslator, texts: list[str], target: str = "eng_Latn") -> list[str]:
    found: dict[int, str] = {}
    for batch in translator.translate(texts, source="deu_Latn", target=target):
        assert not found.keys() & batch.keys()
        found |= batch
    return [found[number] for number in range(len(texts))]


class TestWhatIsSaid:
    @pytest.mark.parametrize("num_beams", [1, 5])
    def test_it_is_what_transformers_says(self, nllb: Path, num_beams: int) -> None:
        plain: Any = M2M100ForConditionalGeneration.from_pretrained(nllb, dtype=torch.float64).eval()
        tokenizer: Any = NllbTokenizer.from_pretrained(nllb, src_lang="deu_Latn")
        ours = NllbTranslator(source=str(nllb), num_beams=num_beams, **EXACT)
        said = {}
        for target in ("eng_Latn", "fra_Latn"):
            expected = []
            for text in SENTENCES:
                forced = tokenizer.convert_tokens_to_ids(target)
                found = plain.generate(
                    **tokenizer(text, return_tensors="pt"),
                    **{"forced_bos_token_id": forced, "num_beams": num_beams, "max_new_tokens": 8},
                )
                assert found[0, :2].tolist() == [tokenizer.eos_token_id, forced]
                expected += [text.strip() for text in tokenizer.batch_decode(found, skip_special_tokens=True)]
            said[target] = translated(ours, SENTENCES, target)
            assert said[target] == expected and len(set(expected)) > len(expected) / 2
        assert said["eng_Latn"] != said["fra_Latn"]

    def test_neighbours_in_a_batch_change_nothing(self, nllb: Path) -> None:
        together = NllbTranslator(source=str(nllb), batch_tokens=10_000, **EXACT)
        alone = NllbTranslator(source=str(nllb), batch_tokens=1, **EXACT)
        texts = [*SENTENCES, "Regen.", "Am Montag Regen, am Montag Regen, am Montag Regen, am Montag Regen im Norden."]
        (batch,) = together.translate(texts, source="deu_Latn", target="spa_Latn")
        assert len(batch) == len(texts)
        said = translated(alone, texts, "spa_Latn")
        assert [batch[number] for number in range(len(texts))] == said
        assert translated(together, texts[::-1], "spa_Latn") == said[::-1]

    def test_a_folder_does_not_decide_how_is_searched(self, nllb: Path, copy: Path) -> None:
        odd = {"do_sample": True, "num_beams": 3, "max_length": 2, "no_repeat_ngram_size": 1, "temperature": 9.0}
        (copy / "generation_config.json").write_text(json.dumps(odd))
        first, second = (NllbTranslator(source=str(folder), **EXACT) for folder in (nllb, copy))
        assert translated(first, SENTENCES) == translated(second, SENTENCES)

    def test_it_is_frozen(self, nllb: Path) -> None:
        model = NllbTranslator(source=str(nllb)).model
        assert not model.training and not any(weight.requires_grad for weight in model.parameters())


class TestIdentity:
    def test_it_is_of_everything_that_decides_and_of_nothing_else(self, nllb: Path, copy: Path) -> None:
        def identity(folder: Path, **options: Any) -> str:
            return NllbTranslator(source=str(folder), **options).identity

        known = identity(nllb)
        assert identity(copy) == known == identity(nllb, batch_tokens=7)
        changed = [identity(nllb, **{key: 2}) for key in ("num_beams", "max_tokens")]
        changed.append(identity(nllb, dtype="float64"))
        weights = load_file(copy / "model.safetensors")
        weights["model.encoder.layer_norm.bias"][0] += 1
        save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
        changed.append(identity(copy))
        assert len({known, *changed}) == 5

    def test_its_weights_are_not_loaded_for_it(self, nllb: Path) -> None:
        translator = NllbTranslator(source=str(nllb))
        assert translator.identity and translator.languages == LANGUAGES and "model" not in vars(translator)


class TestFiles:
    def test_pickled_tensors_are_read_and_nothing_else_is(self, nllb: Path, copy: Path, tmp_path: Path) -> None:
        weights = load_file(copy / "model.safetensors")
        (copy / "model.safetensors").unlink()
        torch.save(weights, copy / "pytorch_model.bin")
        said = [translated(NllbTranslator(source=str(folder), **EXACT), SENTENCES[:3]) for folder in (nllb, copy)]
        assert said[0] == said[1]
        torch.save({**weights, "extra": Planted(tmp_path / "planted")}, copy / "pytorch_model.bin")
        with pytest.raises(UserError, match="cannot be read"):
            translated(NllbTranslator(source=str(copy), **EXACT), SENTENCES[:1])
        assert not (tmp_path / "planted").exists()

    def test_code_beside_the_weights_is_not_run(self, copy: Path, tmp_path: Path) -> None:
        (copy / "own.py").write_text(f"open({str(tmp_path / 'planted')!r}, 'w')\nclass Own: ...\n")
        own = {"config": {"AutoConfig": "own.Own"}, "tokenizer_config": {"AutoTokenizer": ["own.Own", "own.Own"]}}
        for name, classes in own.items():
            said = json.loads((copy / f"{name}.json").read_text())
            (copy / f"{name}.json").write_text(json.dumps({**said, "auto_map": classes, "model_type": "own"}))
        with pytest.raises(UserError):
            NllbTranslator(source=str(copy)).model  # noqa: B018
        assert not (tmp_path / "planted").exists()

    def test_a_weight_that_is_lacking_is_named(self, copy: Path) -> None:
        weights = load_file(copy / "model.safetensors")
        del weights["model.decoder.layers.0.fc1.weight"]
        save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
        with pytest.raises(UserError, match=r"lacks 1 of the weights .* model\.decoder\.layers\.0\.fc1\.weight"):
            NllbTranslator(source=str(copy)).model  # noqa: B018

    @pytest.mark.parametrize(
        ("spoil", "says"),
        [
            (lambda folder: (folder / "tokenizer.json").unlink(), "has no tokenizer.json"),
            (lambda folder: (folder / "tokenizer.json").write_text("{"), "the tokenizer of .* cannot be read"),
            (lambda folder: (folder / "model.safetensors").unlink(), "has no weights; expected model.safetensors"),
            (lambda folder: (folder / "config.json").unlink(), "has no readable config.json"),
            (lambda folder: BertConfig().save_pretrained(folder), "it is a bert model; one from text to text"),
        ],
    )
    def test_a_folder_that_is_none_is_one_sentence(self, copy: Path, spoil: Any, says: str) -> None:
        spoil(copy)
        with pytest.raises(UserError, match=says) as error:
            NllbTranslator(source=str(copy))
        assert str(error.value).startswith(f"translator.source={copy}: ")

    def test_a_tokenizer_of_another_model_is_met_at_once(self, copy: Path) -> None:
        config = json.loads((copy / "config.json").read_text())
        (copy / "config.json").write_text(json.dumps({**config, "vocab_size": 20}))
        with pytest.raises(UserError, match="they do not belong together"):
            NllbTranslator(source=str(copy))


class Planted:
    """Whoever unpickles this freely makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.path), "w")


class TestWrongInput:
    @pytest.mark.parametrize(
        ("options", "says"),
        [
            ({"source": "nowhere"}, r"translator.source=nowhere: .* no such folder is there\.$"),
            ({"source": "facebook/nllb-of-nobody"}, "the hub is switched off by HF_HUB_OFFLINE"),
            ({"revision": "main"}, "is a folder; a revision is of a hub id"),
            ({"num_beams": 0}, r"translator.num_beams=0: expected 1"),
            ({"max_tokens": 0}, r"translator.max_tokens=0"),
            ({"batch_tokens": -1}, r"translator.batch_tokens=-1"),
            ({"dtype": "int8"}, "Unknown precision 'int8'"),
        ],
    )
    def test_it_is_one_sentence(self, nllb: Path, options: dict[str, Any], says: str) -> None:
        with pytest.raises(UserError, match=says):
            NllbTranslator(**{"source": str(nllb), **options})

    def test_a_language_that_it_has_not_is_named_with_the_nearest(self, nllb: Path) -> None:
        translator = NllbTranslator(source=str(nllb))
        with pytest.raises(UserError, match="has no language 'fra_Lat': did you mean fra_Latn"):
            translator.require(["eng_Latn", "fra_Lat"])
        with pytest.raises(UserError, match=r"has no language 'por_Latn'\. It has deu_Latn, eng_Latn"):
            list(translator.translate(["Regen."], source="deu_Latn", target="por_Latn"))


def test_every_option_of_the_room_composes_and_is_built(nllb: Path) -> None:
    for option in Floorplan([conf_folder()]).options("translator"):
        found = examine("augment-text", [f"translator={option}", f"translator.source={nllb}"])
        assert found.problems == [] and build(found.config["translator"], device="cpu").languages == LANGUAGES


def test_another_seed_says_other_things(nllb: Path, tmp_path: Path) -> None:
    other = NllbTranslator(source=str(write_translator(tmp_path / "other", seed=1)), **EXACT)
    assert translated(other, SENTENCES) != translated(NllbTranslator(source=str(nllb), **EXACT), SENTENCES)
