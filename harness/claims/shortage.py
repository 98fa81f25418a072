"""What a run that memory ended says: its arm needs more than there was.

Without these a claim that so much is enough would be held against the runs that fitted alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from harness.claims.held import Held
from harness.stack import LIMIT

OF_TRAINING = ("load", "train")  # scoring needs memory of its own
# What PyTorch and Python say where the machine's memory ended, not a GPU's.
_HOST = re.compile(r"(?<!OutOf)MemoryError|not enough memory|can't allocate memory|Cannot allocate memory")


@dataclass(frozen=True)
class Shortage:
    """An arm that needs more than ``there_was`` bytes, by the ``runs`` that this ended."""

    there_was: int
    runs: tuple[str, ...]


def shortage(held: Held, arm: str) -> Shortage | None:
    """The runs of ``arm`` that memory ended in training while they had it to themselves; None where there is none, or
    how much there was is not known. One whose cell went well later tells nothing."""
    there_was = _there_was(held.part.facts)
    failed, runs = held.part.failures, held.part.frames.runs
    alone = failed["run_id"].isin(runs.loc[runs["exclusive"], "run_id"])
    ended = failed["arm_id"].eq(arm) & failed["status"].eq("oom") & failed["failed_phase"].isin(OF_TRAINING)
    told = failed[ended & alone & ~failed["mended"]]
    if held.device == "cpu":
        told = told[told["purpose"] == "measure"]  # no other run is held to a limit there
    else:
        told = told[~told["reason"].fillna("").str.contains(_HOST)]
    return None if there_was is None or told.empty else Shortage(there_was, tuple(sorted(told["run_id"])))


def _there_was(facts: Mapping[str, Any]) -> int | None:
    """Bytes of the limit that runs were held to, else of the GPU: at the least, since its fact is a rounded one."""
    limit, gpu = facts.get(LIMIT), facts.get("gpu_memory_gib")
    if isinstance(limit, int):
        return limit
    return int((gpu - 0.5) * 2**30) if isinstance(gpu, int | float) and isfinite(gpu) and gpu >= 1 else None
