"""A run in TensorBoard: `tensorboard --logdir outputs/runs` shows all that were mirrored. Extra `tensorboard`.

Written with TensorBoard's own event writer, so neither torch nor TensorFlow is needed for it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from sonar_slt.errors import UserError
from sonar_slt.files import plain
from sonar_slt.runs.mirrors.mirror import Ending, Facts, Former

FOLDER = "tensorboard"


class TensorboardMirror:
    """Curves as scalars; samples, config and tags as texts; the final scores as scalars at the last step."""

    def __init__(self, *, flush: float = 30.0) -> None:
        if flush <= 0:
            raise UserError(f"logger.tensorboard.flush={flush}: expected a number of seconds above 0.")
        self.flush = flush
        self._writer: Any = None
        self._step = 0

    def open(self, facts: Facts, former: Sequence[Former]) -> Mapping[str, Any]:
        """Begin an event file and write the config."""
        try:
            from tensorboard.summary.writer.event_file_writer import EventFileWriter  # type: ignore[import-untyped]
        except ImportError:
            raise UserError("TensorBoard is not installed: pip install 'sonar-slt[tensorboard]'.") from None

        self._writer = EventFileWriter(str(facts.folder / FOLDER), flush_secs=self.flush)
        config = yaml.safe_dump(plain(facts.config), sort_keys=False, allow_unicode=True)
        self._text("config", 0, "\n".join(f"    {line}" for line in config.splitlines()))
        self._text("tags", 0, ", ".join((facts.verb, *facts.tags, *filter(None, [facts.group]))))
        return {"folder": FOLDER}

    def log(self, split: str, step: int, values: Mapping[str, float]) -> None:
        """Figures as scalars `split/name`."""
        from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped]

        self._step = max(self._step, step)
        scalars = [Summary.Value(tag=f"{split}/{name}", simple_value=value) for name, value in values.items()]
        self._add(step, Summary(value=scalars))

    def samples(self, title: str, step: int, rows: Sequence[Mapping[str, Any]]) -> None:
        """A table in markdown."""
        columns = list(dict.fromkeys(name for row in rows for name in row))
        lines = [columns, ["---"] * len(columns), *([_cell(row.get(name)) for name in columns] for row in rows)]
        self._text(title, step, "\n".join(f"| {' | '.join(line)} |" for line in lines))

    def finish(self, status: Ending, summary: Mapping[str, Any]) -> None:
        """The final scores, and how it ended; the file is closed."""
        numbers = {name: value for name, value in summary.items() if isinstance(value, int | float)}
        try:
            if numbers:
                self.log("final", self._step, numbers)
            self._text("status", self._step, status)
        finally:
            if self._writer is not None:
                self._writer.close()

    def _text(self, tag: str, step: int, text: str) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
        from tensorboard.compat.proto.tensor_pb2 import TensorProto  # type: ignore[import-untyped]
        from tensorboard.compat.proto.types_pb2 import DT_STRING  # type: ignore[import-untyped]

        shown = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
        words = TensorProto(dtype=DT_STRING, string_val=[text.encode()])
        words.tensor_shape.dim.add(size=1)
        self._add(step, Summary(value=[Summary.Value(tag=tag, metadata=shown, tensor=words)]))

    def _add(self, step: int, summary: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event  # type: ignore[import-untyped]

        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))


def _cell(value: Any) -> str:
    text = " / ".join(map(str, value)) if isinstance(value, list | tuple) else "" if value is None else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
