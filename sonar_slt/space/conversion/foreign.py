"""SONAR's text encoder and decoder as Meta's tools write them: what the files hold, and what each weight is called.

Reading executes nothing: a pickle may name tensors and two plain classes that stand-ins take the place of.

Where the facts come from. The checkpoint handlers of facebookresearch/SONAR: the names in raw fairseq files, the
pickled table of the encoder, the entries that are no weights, and the order of the first four rows, which they change
from `<s> <pad> </s> <unk>` to `<pad> <unk> <s> </s>` when they load a raw file. fairseq2's modules: the names in its
state dicts. transformers' M2M100 keeps fairseq's order of rows.
"""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from sonar_slt.errors import UserError
from sonar_slt.space.weights import TABLE

log = logging.getLogger(__name__)

FAIRSEQ, FAIRSEQ2 = "fairseq", "fairseq2"

CONTROL_ROWS = {FAIRSEQ: [0, 1, 2, 3], FAIRSEQ2: [2, 0, 3, 1]}
"""Where a layout keeps the rows of `<s> <pad> </s> <unk>`."""

FORWARD_WORDS = {"fc1": "ffn.inner_proj", "fc2": "ffn.output_proj", "final_layer_norm": "ffn_layer_norm"}
"""transformers' and fairseq's words for the feed-forward network, and fairseq2's; raw decoders may have either."""

FAIRSEQ2_WORDS = {
    "encoder_attn": "encoder_decoder_attn",
    "encoder_attn_layer_norm": "encoder_decoder_attn_layer_norm",
    "out_proj": "output_proj",
    **FORWARD_WORDS,
}
"""transformers' words for parts of a layer, and fairseq2's."""

NO_WEIGHT = re.compile(r"((encoder|decoder)\.)?(version|embed_positions\._float_tensor)")
"""Entries of a state dict that carry no weight: fairseq's version of the module, and its positions' device."""

PICKLED_TABLE = "embed_tokens"
"""The entry beside `state_dict` that holds the embedding module of raw encoders.

Upstream reads the table there and reorders it where it lies, and what its model is given is the `embed_tokens.weight`
of the state dict: the two are one storage where both are there, so they are refused if they differ.
"""

WRAPPINGS = 4
"""In how many mappings a state dict may lie; upstream's lie in one or two, and a pickle may lie in itself."""

CHUNK = 2**20
"""Numbers of a weight that are in hand at a time."""


class _Attributes:
    """Stands in for an object in a pickle: takes its attributes, has no code to run."""


STAND_INS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    (_Attributes, "torch.nn.modules.sparse.Embedding"),
    (_Attributes, "argparse.Namespace"),
]


@dataclass(frozen=True, slots=True)
class ForeignCheckpoint:
    """One half of a model in a foreign layout; the tensors may be pages of the file that nobody has touched yet."""

    path: Path
    half: str  # encoder or decoder
    layout: str
    weights: Mapping[str, Tensor]  # by their foreign names

    def called(self, name: str) -> str:
        """The foreign name of a weight that transformers calls `name`."""
        if name == TABLE:
            return "embed_tokens.weight" if self.layout == FAIRSEQ else f"{self.half}_frontend.embed.weight"
        plain = name.removeprefix(f"model.{self.half}.")
        if self.layout == FAIRSEQ:
            other = _respelt(plain, FORWARD_WORDS)
            return other if other in self.weights and plain not in self.weights else plain
        if plain.startswith("layer_norm.") and self.half == "encoder":
            return plain
        return _respelt(name.removeprefix("model."), FAIRSEQ2_WORDS)

    @property
    def copies(self) -> list[str]:
        """Entries that must equal the table, if they are there at all."""
        own = {FAIRSEQ: ["output_projection.weight", PICKLED_TABLE], FAIRSEQ2: ["final_proj.weight"]}[self.layout]
        return [name for name in own if name in self.weights and (self.half == "decoder" or name == PICKLED_TABLE)]

    @property
    def layers(self) -> int:
        """How many layers have at least one weight."""
        found = (re.search(r"(?:^|\.)layers\.(\d+)\.", name) for name in self.weights)
        return len({match[1] for match in found if match})

    def pieces(self, name: str) -> Iterator[Tensor]:
        """A weight that transformers calls `name`, in transformers' order of rows, some of them at a time."""
        tensor = self.weights[self.called(name)]
        return table_pieces(tensor, self.layout) if name == TABLE else row_pieces(tensor)


def _respelt(name: str, words: Mapping[str, str]) -> str:
    return ".".join(words.get(word, word) for word in name.split("."))


def table_pieces(table: Tensor, layout: str) -> Iterator[Tensor]:
    """A table of word vectors in transformers' order of rows; the four control rows come first."""
    yield table[CONTROL_ROWS[layout]]
    yield from row_pieces(table[4:])


def row_pieces(tensor: Tensor) -> Iterator[Tensor]:
    """A tensor in parts of some megabytes."""
    if tensor.ndim == 0 or not len(tensor):
        yield tensor
        return
    step = max(1, CHUNK // max(1, tensor[0].numel()))
    for start in range(0, len(tensor), step):
        yield tensor[start : start + step]


def open_checkpoint(path: str | Path, half: str) -> ForeignCheckpoint:
    """Open an encoder or a decoder; its layout is recognised from its names."""
    path = Path(path).expanduser()
    try:
        if not path.is_file():
            raise UserError(f"No checkpoint at '{path}': {half}= takes a .pt or .safetensors file.")
        with path.open("rb") as file:
            zipped = file.read(4) == b"PK\x03\x04"
    except OSError as error:
        raise _unreadable(path, error) from error
    content = _stored(path) if path.suffix == ".safetensors" else _unpickled(path, zipped=zipped)
    weights = _weights(content, path)
    return ForeignCheckpoint(path, half, _layout(weights, path, half), weights)


def _unreadable(path: Path, error: OSError) -> UserError:
    return UserError(f"'{path}' cannot be read: {error.strerror or error}.")


def _stored(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    except SafetensorError as error:
        raise UserError(f"'{path}' is cut short or is no safetensors file: copy it again.") from error


def _unpickled(path: Path, *, zipped: bool) -> Any:
    """What `torch.save` wrote, by torch's restricted unpickler; the tensors stay in the file where it allows that."""
    try:
        with torch.serialization.safe_globals(STAND_INS):
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except MemoryError:
        raise
    except Exception as error:  # a broken pickle fails in whatever way its bytes lead to
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):  # which is a seek out of a cut file
            raise _unreadable(path, error) from error
        if named := re.search(r"GLOBAL (\S+)", str(error)):
            raise UserError(
                f"'{path}' was not read: it asks for {named[1]}, which could run code; expected tensors only."
            ) from error
        if "persistent_load" in str(error):  # how the old format names the class of a module
            raise UserError(
                f"'{path}' holds a module in torch's old format, which is read by running its code: save it anew."
            ) from error
        raise UserError(f"'{path}' is cut short or is no checkpoint that torch can read: copy it again.") from error
    if not zipped:
        log.warning("'%s' is in torch's old format, which cannot be read in parts: it is in memory whole", path)
    return content


def _weights(content: Any, path: Path) -> dict[str, Tensor]:
    """The tensors of a state dict, which may lie under `model` or `state_dict` or both."""
    if not isinstance(content, Mapping):
        raise UserError(
            f"'{path}' holds a {type(content).__name__}; expected a state dict of a text encoder or decoder."
        )
    pickled: Any = None
    for _ in range(WRAPPINGS):
        pickled = content.get(PICKLED_TABLE, pickled)
        inner = (content.get(key) for key in ("model", "state_dict"))
        content = next((mapping for mapping in inner if isinstance(mapping, Mapping)), content)
    found = {str(name): value.detach() for name, value in content.items() if isinstance(value, Tensor)}
    found = {name: value for name, value in found.items() if not NO_WEIGHT.fullmatch(name)}
    if isinstance(pickled, _Attributes):
        parameters = vars(pickled).get("_parameters")
        pickled = parameters.get("weight") if isinstance(parameters, Mapping) else None
    if isinstance(pickled, Tensor):
        place = PICKLED_TABLE if f"{PICKLED_TABLE}.weight" in found else f"{PICKLED_TABLE}.weight"
        found[place] = pickled.detach()
    return found


def _layout(weights: Mapping[str, Tensor], path: Path, half: str) -> str:
    halves = [part for part in ("encoder", "decoder") if _begins(weights, f"{part}.layers.", f"{part}_frontend.")]
    layout = FAIRSEQ2
    if not halves and _begins(weights, "layers."):
        layout = FAIRSEQ
        halves = ["decoder" if any(".encoder_attn." in name for name in weights) else "encoder"]
    if not halves:
        first = ", ".join(list(weights)[:3]) or "none"
        raise UserError(
            f"'{path}' is no SONAR text {half} of fairseq or fairseq2: no name of theirs among its "
            f"{len(weights)} tensors ({first})."
        )
    if half not in halves:
        raise UserError(f"'{path}' holds the {halves[0]}, not the {half}: encoder= and decoder= take one file each.")
    return layout


def _begins(weights: Mapping[str, Tensor], *prefixes: str) -> bool:
    return any(name.startswith(prefixes) for name in weights)
