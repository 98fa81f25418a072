"""What a method is handed to train one stage: everything decided, nothing to look up."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Job:
    """One stage about to be trained.

    ``rows`` are tokenised examples in the order in which they are to be seen, exactly ``steps`` x ``batch_size`` of
    them: ``input_ids`` and ``completion_mask`` for SFT, ``prompt_ids``, ``chosen_ids`` and ``rejected_ids`` for
    preference pairs.
    """

    model: Any
    tokenizer: Any
    rows: list[dict[str, list[int]]]
    parameters: Any
    learning_rate: float
    seed: int
    steps: int
    batch_size: int
    micro_batch_size: int
    sequence_length: int
    optimizer: dict[str, Any]
    precision: dict[str, str]
    kernels: dict[str, Any]
    device: str
    folder: Path  # the cell's own scratch folder
    callbacks: list[Any] = field(default_factory=list)
    load_reference: Any = None  # () -> a frozen copy of the stage's starting model, for full weights
