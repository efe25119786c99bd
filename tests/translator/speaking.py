"""A translator of a few thousand random weights in NLLB's own format, which says another thing of every sentence."""

from __future__ import annotations

from pathlib import Path

import torch

from sonar_slt.data.corpora.toy.meaning import draw_split
from sonar_slt.data.corpora.toy.sentences import render
from sonar_slt.space.fresh import new_model, train_tokenizer
from sonar_slt.space.opening import silent

LANGUAGES = ("deu_Latn", "eng_Latn", "fra_Latn", "spa_Latn")
SENTENCES = [render(meaning, "deu_Latn")[0] for meaning in draw_split("train", 10, seed=0)]
LOUD = 8.0
"""Weights of attention are so many times larger than usual: random ones hear the sentence too faintly otherwise."""


def write_translator(folder: Path, *, seed: int = 0) -> Path:
    """Write model and tokenizer into a folder, as transformers does."""
    tokenizer = train_tokenizer(SENTENCES, LANGUAGES, size=150)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        sizes = {"dim": 32, "heads": 2, "hidden": 64, "decoder_hidden": 64}
        model = new_model(tokenizer, layers=1, decoder_layers=1, **sizes)
    layer = model.model.decoder.layers[0]
    with torch.no_grad():
        for heard in (layer.encoder_attn.v_proj, layer.encoder_attn.q_proj, layer.encoder_attn.k_proj):
            heard.weight.mul_(LOUD)
        layer.self_attn.v_proj.weight.mul_(LOUD)
    with silent():
        model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
