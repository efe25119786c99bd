"""Teacher vectors, computed once: a frozen space gives the same vector for the same sentence for ever."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sonar_slt.space.sentence_space import SentenceSpace


class VectorCache:
    """Vectors of lists of sentences on disk, named by the space's weights and the sentences themselves."""

    def __init__(self, *, folder: str | Path, space: SentenceSpace) -> None:
        self.folder, self.space = Path(folder) / space.fingerprint, space

    def encode(self, texts: Sequence[str], languages: Sequence[str]) -> Tensor:
        """Vectors (N, dim) on the CPU, read if they were ever computed and computed if not."""
        name = hashlib.sha256(
            "\n".join(f"{code}\t{text}" for text, code in zip(texts, languages, strict=True)).encode()
        )
        path = self.folder / f"{name.hexdigest()[:24]}.npy"
        if path.is_file():
            return torch.from_numpy(np.load(path, allow_pickle=False))
        vectors = self.space.encode(texts, languages).float().cpu()
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        with draft.open("wb") as stream:
            np.save(stream, vectors.numpy(), allow_pickle=False)
        draft.replace(path)
        return vectors
