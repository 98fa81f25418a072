"""Kinds of memory as a table shows them: each measure a column of its own, with what it means."""

import pandas as pd

from harness.analysis.costs import ALLOCATED, LEDGER, RESERVED
from harness.analysis.memory import DEVICE, MEASURES, RESIDENT
from leaderboard import tables
from leaderboard.quantities import MEMORY, Quantity, fitted

MEANINGS = {
    ALLOCATED: "Peak of what PyTorch's CUDA allocator handed out.",
    RESERVED: "Peak of what PyTorch's CUDA allocator took from the device: allocated, and what it keeps for later.",
    DEVICE: "Peak of the process' share of the GPU as the driver sees it, with the GPU's own context.",
    RESIDENT: "Peak of the process' resident memory over what it held when the phase began.",
    LEDGER: "Peak of tensor bytes counted one by one: weights, state, gradients, activations; no temporaries.",
}


def unit_of(rows: pd.DataFrame) -> Quantity:
    """Memory in the unit that suits the largest measure in ``rows``."""
    largest = rows[list(MEASURES.values())].astype(float).max().max()
    return fitted(MEMORY, pd.DataFrame({MEMORY.name: [largest]}))


def in_unit(rows: pd.DataFrame, memory: Quantity) -> pd.DataFrame:
    """A copy with every measure, by its name, in the unit."""
    scaled = {name: rows[column].astype(float) * memory.scale for name, column in MEASURES.items()}
    return rows.assign(**scaled)


def columns(rows: pd.DataFrame, memory: Quantity) -> list[tables.Column]:
    """Those of the measures that ``rows`` (of ``in_unit``) have."""
    return [
        tables.number(name, f"{name} ({memory.unit})", meaning, memory.printf)
        for name, meaning in MEANINGS.items()
        if rows[name].notna().any()
    ]
