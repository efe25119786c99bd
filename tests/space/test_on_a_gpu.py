"""On a GPU a space says what it says on a CPU, within a stated tolerance, and measures itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sonar_slt import SentenceSpace
from sonar_slt.bench.space.space import Amounts, bench_space
from sonar_slt.bench.timing import Footprint
from sonar_slt.space import LoraStudent

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")]

TEXTS = ["Am Montag gibt es in Bayern Regen.", "The north will see fog tomorrow.", "Heute Nebel."]
CODES = ["deu_Latn", "eng_Latn", "deu_Latn"]


def test_vectors_sentences_and_likelihoods_are_those_of_a_cpu(space_folder: Path) -> None:
    near, far = (SentenceSpace.from_pretrained(space_folder, dtype="float64", device=on) for on in ("cpu", "cuda"))
    vectors = far.encode(TEXTS, CODES)
    assert vectors.device.type == "cuda" and far.vector_id == near.vector_id
    torch.testing.assert_close(vectors.cpu(), near.encode(TEXTS, CODES), rtol=1e-9, atol=1e-11)
    for options in ({"num_beams": 1}, {"num_beams": 5}, {"num_beams": 5, "no_repeat_ngram_size": 2}):
        assert far.decode(vectors, CODES, max_new_tokens=12, **options) == near.decode(
            vectors.cpu(), CODES, max_new_tokens=12, **options
        )
    torch.testing.assert_close(
        far.log_likelihood(vectors, TEXTS, CODES).cpu(),
        near.log_likelihood(vectors.cpu(), TEXTS, CODES),
        rtol=1e-9,
        atol=1e-11,
    )


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_student_learns_in_every_precision(space_folder: Path, dtype: str) -> None:
    space = SentenceSpace.from_pretrained(space_folder, dtype=dtype, device="cuda")
    student = LoraStudent(space=space)
    vectors = space.encode(TEXTS, CODES)
    tokens = space.tokens.batch(TEXTS, CODES).to("cuda")
    student.nll(vectors.requires_grad_(), tokens).sum().backward()
    assert vectors.grad is not None and vectors.grad.isfinite().all()
    assert all(weight.grad is not None for weight in student.parameters() if weight.requires_grad)
    assert len(student.decode(vectors.detach(), CODES, max_new_tokens=8)) == 3


def test_the_measurements_run() -> None:
    def opened(**changes: object) -> SentenceSpace:
        sizes = {"dim": 32, "layers": 2, "heads": 2, "hidden": 64, "vocabulary": 9000, "device": "cuda"}
        return SentenceSpace.at_random(**{**sizes, **changes})  # type: ignore[arg-type]

    results = list(bench_space(opened, Amounts(encoded=6, decoded=3, trained=3, rounds=1), torch.device("cuda")))
    assert len(results) == 11 and all(result.ours > 0 for result in results if isinstance(result, Footprint))
