"""The parts of a training by the words of its command, for a notebook: to look at, and to work with.

What the command line would refuse is refused here, by the same sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sonar_slt.config.assembly import Assembly, assemble
from sonar_slt.config.automatic import with_adapter
from sonar_slt.config.permission import permit
from sonar_slt.config.words import allowed
from sonar_slt.errors import UserError

if TYPE_CHECKING:
    import torch


def assembled(
    words: Sequence[str] = (), *, config_dir: str | None = None, device: torch.device | str = "cpu"
) -> Assembly:
    """Space, data and task as `sonar-slt train WORDS` would build them, with first weights and nothing trained.

    The corpus is prepared where it is not yet; the space must lie there, which `sonar-slt demo` sees to for the toy
    one. `.data` serves batches, `.task.adapter` makes vectors (batch, dim) of their tracks.
    """
    permit(allowed(words))
    _, found = with_adapter("train", words, config_dir)
    if found.problems:
        raise UserError(" ".join(found.problems))
    return assemble(found.config, device=device)
