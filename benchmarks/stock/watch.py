"""What a script's training is watched for: each step's loss, tokens and seconds, and the most memory that it held."""

import hashlib
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from harness.meters.memory import MemoryMeter


class Watch(TrainerCallback):
    """Made before the model is loaded, from where resident memory counts; ``follow`` a trainer, then ``write``."""

    def __init__(self, device: str) -> None:
        self.on_cuda = device == "cuda"
        self.memory = MemoryMeter(device)
        self.memory.start()
        self.losses: list[float] = []
        self.seconds: list[float] = []
        self.tokens: list[str] = []
        self._began = 0.0

    def follow(self, trainer: Any) -> None:
        """Be called by a Transformers trainer, with each batch that it makes too."""
        collate = trainer.data_collator

        def watched(rows: list[Any]) -> Any:
            batch = collate(rows)
            self.saw(batch["input_ids"], batch["labels"], batch.get("attention_mask"))
            return batch

        trainer.data_collator = watched
        trainer.add_callback(self)

    def saw(self, ids: torch.Tensor, labels: torch.Tensor, mask: torch.Tensor | None = None) -> None:
        """Take down what a step is to be trained on."""
        kept = torch.ones_like(ids) if mask is None else mask
        rows = zip(ids, labels, kept.bool(), strict=True)
        self.tokens.append(digest((i[k].tolist(), answer[k].tolist()) for i, answer, k in rows))

    def begin(self) -> None:
        """The first step begins."""
        self._synchronise()
        self._began = time.perf_counter()

    def end_step(self) -> None:
        """A step is over, and the next one begins."""
        self._synchronise()
        now = time.perf_counter()
        self.seconds.append(now - self._began)
        self._began = now

    def write(self, path: Path) -> None:
        """All of it as JSON. A batch that was fetched and never trained on is left out."""
        noted = {"losses": self.losses, "step_seconds": self.seconds, "tokens": self.tokens[: len(self.seconds)]}
        path.write_text(json.dumps({**noted, **self.memory.stop()}))

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """See ``begin``."""
        self.begin()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """See ``end_step``."""
        self.end_step()

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """Keep a step's loss."""
        if logs and "loss" in logs:
            self.losses.append(float(logs["loss"]))

    def _synchronise(self) -> None:
        if self.on_cuda:
            torch.cuda.synchronize()


def digest(rows: Iterable[tuple[list[int], list[int]]]) -> str:
    """Of a step's rows, each its ids and as many labels, -100 where no loss is."""
    return hashlib.sha256(json.dumps([[ids, labels] for ids, labels in rows]).encode()).hexdigest()
