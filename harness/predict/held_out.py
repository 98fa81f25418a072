"""The cells that the predictor was not built on: those by which its error is to be judged."""

from dataclasses import dataclass
from pathlib import Path

import suites
from harness.yamlfile import read_yaml


@dataclass(frozen=True)
class HeldOut:
    """A cell is held out by its shape (its base's name), or by its sequence length."""

    shapes: frozenset[str]
    sequence_lengths: frozenset[int]


def read_held_out() -> HeldOut:
    """The committed list, ``suites/cost/held_out.yaml``."""
    found = read_yaml(Path(next(iter(suites.__path__))) / "cost" / "held_out.yaml").value
    return HeldOut(frozenset(found["shapes"]), frozenset(found["sequence_lengths"]))
