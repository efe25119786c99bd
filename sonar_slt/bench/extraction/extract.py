"""Extraction with its decoding, against a script that takes clip after clip; and what it holds of a long video.

The script decodes a whole file, gives the model of timm or transformers one window at a time (single pictures also a
clip's at once), and saves a npy file per clip. Both have the same weights, pictures and precision.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from sonar_slt.bench.extraction.videos import FPS, Recorded
from sonar_slt.bench.memory import held, in_a_fresh_process, peak
from sonar_slt.bench.timing import Comparison, Footprint, Machine, Work, compared, in_turn
from sonar_slt.data.feature_store import feature_sets
from sonar_slt.features import Backbone, Videomae, Vit, windows
from sonar_slt.features.extraction.batched import Batched
from sonar_slt.features.extraction.job import extract

SHARES = (2, 3, 5, 6)
"""How the frames are shared out to clips: of several lengths, whose last windows are not full."""
TINY: dict[str, Any] = {"img_size": 64, "patch_size": 8, "embed_dim": 64, "depth": 2, "num_heads": 4}
SHORT, LONG = 10, 600
"""Seconds of the videos under which memory is looked at."""

Embed = Callable[[Tensor], Tensor]


def bench_extract(folder: Path, *, frames: int, rounds: int, workers: int) -> Iterator[Comparison | Footprint]:
    """ViT-B/16 and VideoMAE-B with random weights over so many frames of video; then the memory of a tiny ViT."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    precision = torch.bfloat16 if device.type == "cuda" else torch.float32
    machine = Machine.measured(precision, device)
    corpus = Recorded(folder / "clips", [max(1, frames * share // sum(SHARES)) for share in SHARES])
    for backbone, plain in ((Vit(weights=None, tag=None), _vit), (Videomae(weights=None), _videomae)):
        embed = plain(backbone).to(device, precision)
        job = Batched(backbone, device=device, precision=precision, pictures=64)
        yield from _compared(corpus, job, embed, machine, rounds=rounds, workers=workers)
    yield from _footprints(folder)


def _compared(
    corpus: Recorded, job: Batched, model: nn.Module, machine: Machine, *, rounds: int, workers: int
) -> Iterator[Comparison]:
    name = type(job.backbone).__name__
    shape = [len(windows(row.frames, job.backbone.window, job.backbone.stride)) for row in corpus.rows]
    limit = machine.limit(Work(float(_operations(job) * sum(shape))))
    saved = corpus.prepared / "plain"
    ours = partial(_ours, corpus, job, name, workers)
    ways = {"one window at a time": partial(_plainly, corpus, job, model, saved, together=False)}
    if job.backbone.window == 1:
        ways["a clip's at once"] = partial(_plainly, corpus, job, model, saved, together=True)
    *times, fast = in_turn([*ways.values(), ours], rounds)
    [found] = [one for one in feature_sets(corpus.prepared) if one.name.startswith(name)]
    apart = max(float(np.abs(np.load(saved / f"{row.id}.npy") - found[row.id]).max()) for row in corpus.rows)
    scale = max(float(np.abs(found[row.id]).max()) for row in corpus.rows)
    frames = sum(row.frames for row in corpus.rows)
    note = f"{frames / min(fast):.1f} frames/s; largest difference {apart:.0e} of {scale:.0e}, in half precision"
    for way, slow in zip(ways, times, strict=True):
        title = f"{name}, {frames} frames of {len(shape)} videos, {sum(shape)} windows, against {way}"
        yield compared(title, slow, fast, limit=limit, note=note)


def _ours(corpus: Recorded, job: Batched, name: str, workers: int) -> None:
    """The whole job, from an empty folder."""
    shutil.rmtree(corpus.prepared / "features", ignore_errors=True)
    extract(corpus, job, name=name, plan=job.plan(), workers=workers, shown=False)


@torch.inference_mode()
def _plainly(corpus: Recorded, job: Batched, model: nn.Module, saved: Path, *, together: bool) -> None:
    """What a script does, clip after clip."""
    import av

    saved.mkdir(exist_ok=True)
    backbone = job.backbone
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (backbone.mean, backbone.std))
    for row, path in zip(corpus.rows, corpus.files(), strict=True):
        with av.open(str(path)) as container:
            pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        vectors = []
        numbers = windows(len(pictures), backbone.window, backbone.stride)
        for window in numbers.reshape(1, -1) if together else numbers:
            shown = np.stack([backbone.picture(pictures[number]) for number in window])
            normal = (torch.from_numpy(shown).float() / 255 - mean) / std
            vectors.append(model(normal.to(job.device, job.precision)).float().cpu().numpy())
        np.save(saved / f"{row.id}.npy", np.concatenate(vectors), allow_pickle=False)


class _Plain(nn.Module):
    """A model as its library has it, and what is taken of its states."""

    def __init__(self, model: nn.Module, embed: Callable[[Any, Tensor], Tensor]) -> None:
        super().__init__()
        self.model, self.embed = model.eval(), embed

    def forward(self, pictures: Tensor) -> Tensor:
        """`pictures` (frames, 3, size, size) to (items, width)."""
        return self.embed(self.model, pictures)


def _vit(backbone: Backbone) -> _Plain:
    import timm

    model = timm.create_model("vit_base_patch16_224", pretrained=False)
    given: Any = backbone.model
    model.load_state_dict({name.replace(".block.", "."): w for name, w in given.state_dict().items()}, strict=False)
    return _Plain(model, lambda model, pictures: model.forward_features(pictures)[:, 0])


def _videomae(backbone: Backbone) -> _Plain:
    from transformers import VideoMAEConfig, VideoMAEModel

    model = VideoMAEModel(VideoMAEConfig(use_mean_pooling=False))
    given: Any = backbone.model
    weights = {re.sub(r"(layer\.\d+)\.layer\.", r"\1.", name): weight for name, weight in given.state_dict().items()}
    model.load_state_dict(weights, strict=False)
    return _Plain(model, lambda model, pictures: model(pictures.unsqueeze(0)).last_hidden_state[:, 0])


@torch.inference_mode()
def _operations(job: Batched) -> int:
    """The arithmetic of one window, as torch counts it."""
    size = job.backbone.picture.size
    pictures = torch.zeros(job.backbone.window, 3, size, size, dtype=torch.uint8, device=job.device)
    with FlopCounterMode(display=False) as counted:
        job.backbone(pictures, torch.arange(job.backbone.window, device=job.device).unsqueeze(0))
    return int(counted.get_total_flops())


# --- memory -----------------------------------------------------------------------------------------------------


def _footprints(folder: Path) -> Iterator[Footprint]:
    """What extracting one video holds at its peak, of ten seconds and of ten minutes, each in a fresh process."""
    sizes = []
    for seconds in (SHORT, LONG):
        Recorded(folder / str(seconds), [seconds * FPS])
        sizes.append(in_a_fresh_process(_measured, folder / str(seconds)))
    yield Footprint(f"memory of extracting a video of {SHORT} s and one of {LONG} s", sizes[0], sizes[1])


def _measured(folder: Path) -> int:
    """All that the process has at its peak, torch and the weights too."""
    corpus = Recorded.there(folder)
    backbone = Vit(model="vit_tiny_patch16_224", tag=None, weights=None, pooling="mean", architecture=TINY)
    job = Batched(backbone, device=torch.device("cpu"), precision=torch.float32, pictures=64)
    before = held("VmRSS")
    return before + peak(lambda: extract(corpus, job, name="tiny", plan=job.plan(), workers=0, shown=False))
