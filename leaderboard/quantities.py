"""What the board shows of an arm: each quantity with its unit, its precision, its meaning, and which way is better.

Told of once: columns of tables, axes of pictures, and what a pointer that hovers reads are all made from it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

MIB, GIB = 2.0**20, 2.0**30
GB = 1e9  # as cards are sold, and as `--vram 24GB` is read
ENDS = ("_low", "_high")

Better = Literal["more", "less"]


@dataclass(frozen=True)
class Quantity:
    """A figure of ``analysis.summary``: its column ``name``, and how people read it.

    A value times ``scale`` is in ``unit``; ``decimals`` are shown; ``interval`` says that the summary has its ends.
    """

    name: str
    label: str
    unit: str
    meaning: str
    scale: float = 1.0
    decimals: int = 1
    signed: bool = False
    better: Better | None = None
    interval: bool = False
    log: bool = False

    @property
    def title(self) -> str:
        """The label with its unit, as an axis or a column's head has it."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @property
    def d3(self) -> str:
        """The format of its numbers in pictures."""
        if self.name == "chosen_rate":
            return ".1e"
        return f"{'+' if self.signed else ''},.{self.decimals}f"

    @property
    def printf(self) -> str:
        """The format of its numbers in tables."""
        if self.name == "chosen_rate":
            return "%.1e"
        return f"%{'+' if self.signed else ''}.{self.decimals}f"


def _points(name: str, label: str, meaning: str, better: Better = "more", signed: bool = False) -> Quantity:
    """A share of 1, shown in percentage points, with its interval."""
    return Quantity(name, label, "points", meaning, 100.0, signed=signed, better=better, interval=True)


TARGET = _points("target", "target score", "Score on what the model was tuned for, on test items.")
GAIN = _points("gain", "gain", "Target score minus the untrained base's, on the same items.", signed=True)
FORGETTING = _points(
    "forgetting",
    "forgetting",
    "General score of the base minus the tuned model's, a mean over the general tasks; above zero means lost.",
    "less",
    signed=True,
)
PREFERENCE = _points("preference", "preference", "How often the preferred answer is the likelier one.")
SAFETY = _points(
    "safety", "refusals", "The safety tasks: harmful requests refused and harmless ones complied with, a mean."
)
PERPLEXITY = Quantity(
    "perplexity_ratio",
    "perplexity",
    "x the base's",
    "Perplexity on general text, tuned over base; above 1 is worse.",
    decimals=2,
    better="less",
    interval=True,
)
MEMORY = Quantity(
    "memory_bytes",
    "memory",
    "MiB",
    "Peak in training, alone on the device; how it was measured stands beside it.",
    1 / MIB,
    better="less",
)
TOKENS = Quantity(
    "tokens_per_second",
    "speed",
    "tokens/s",
    "Real tokens a second in training, median of the steps after warm-up.",
    decimals=0,
    better="more",
)
SPEED = Quantity(
    "relative_speed",
    "relative speed",
    "x full SFT",
    "Tokens a second over those of full SFT on the same base.",
    decimals=2,
    better="more",
)
TRAINABLE = Quantity(
    "trainable_share", "trained", "% of parameters", "Parameters that training changes, of all.", 100.0, 2, log=True
)
TUNING = Quantity(
    "whole_tuning_seconds",
    "tuning time",
    "min",
    "All rates and seeds, failed ones too; for DPO with its SFT stage.",
    1 / 60,
    better="less",
)
PRICE = Quantity("price", "price", "", "Tuning time at the price an hour, in its currency.", decimals=2, better="less")
RATE = Quantity("chosen_rate", "rate", "", "Learning rate, chosen on validation data.", log=True)
RANK = Quantity("rank", "rank", "", "The adapter's rank; none where all weights are trained.", decimals=0, log=True)
BASE_SIZE = Quantity(
    "base_parameters", "base size", "M parameters", "Parameters of the untrained base.", 1e-6, 2, log=True
)

SCORES = (TARGET, GAIN, FORGETTING, PERPLEXITY, PREFERENCE, SAFETY)
COSTS = (MEMORY, TOKENS, SPEED, TRAINABLE, TUNING)
ALL = (*SCORES, *COSTS, RATE, RANK, BASE_SIZE)
BY_NAME: Mapping[str, Quantity] = {quantity.name: quantity for quantity in ALL}


def fitted(quantity: Quantity, frame: pd.DataFrame) -> Quantity:
    """The quantity with a unit that suits the values: GiB for memory from one GiB on, hours from two hours on."""
    largest = pd.to_numeric(frame[quantity.name]).max() if quantity.name in frame and len(frame) else float("nan")
    if quantity is MEMORY and largest >= GIB:
        return replace(quantity, unit="GiB", scale=1 / GIB, decimals=2)
    if quantity is TUNING and largest >= 7200:
        return replace(quantity, unit="h", scale=1 / 3600)
    if quantity is BASE_SIZE and largest >= 1e9:
        return replace(quantity, unit="B parameters", scale=1e-9)
    return quantity


def in_units(frame: pd.DataFrame, quantities: Iterable[Quantity]) -> pd.DataFrame:
    """A copy with these quantities, and the ends of their intervals, in their units; what is missing is NaN."""
    scaled = {
        name: pd.to_numeric(frame[name]).astype(float) * quantity.scale
        for quantity in quantities
        for name in names_of(quantity)
        if name in frame
    }
    return frame.assign(**scaled)


def names_of(quantity: Quantity) -> tuple[str, ...]:
    """Its column, and those of its interval's ends."""
    ends = tuple(f"{quantity.name}{end}" for end in ENDS) if quantity.interval else ()
    return (quantity.name, *ends)


def measured(frame: pd.DataFrame, quantities: Sequence[Quantity]) -> list[Quantity]:
    """Those of the quantities that some row of the frame has, each with the unit that suits it."""
    return [fitted(one, frame) for one in quantities if one.name in frame and frame[one.name].notna().any()]
