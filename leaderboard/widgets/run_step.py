"""A training step of one run: what stood in memory from moment to moment, and what its parts took."""

import pandas as pd
import streamlit as st

from harness.analysis.costs import ALLOCATED, LEDGER, RESERVED
from harness.analysis.utilisation import ENERGY, joules_per_thousand_tokens
from leaderboard import tables
from leaderboard.pictures.timeline import timeline
from leaderboard.quantities import MEMORY, Quantity, fitted
from leaderboard.rows.measures import MEANINGS
from leaderboard.rows.run import OneRun
from leaderboard.widgets.saving import picture
from leaderboard.widgets.tables import downloads, show_table

JOULES = "By the GPU's own counter over all timed steps, by the real tokens in them."
PEAKS = {f"peak_{name}_bytes": name for name in (ALLOCATED, RESERVED, LEDGER)}
TIMELINE = (
    "Tensor bytes counted one by one in the warm-up step that held the most. A watched step is slower than others: "
    "its seconds say what follows what. The table's are of steps that were not watched."
)


def show_step(found: OneRun) -> None:
    """Picture and table; nothing for a run whose steps were not looked into."""
    parts = found.step_parts
    if parts.empty:
        return
    st.subheader("A training step")
    memory = _unit(parts)
    bytes_of = [name for name in found.timeline if name not in ("seconds", "part")]
    moments = found.timeline.assign(**{name: found.timeline[name] * memory.scale for name in bytes_of})
    chart = timeline(moments, memory)
    if chart is not None:
        picture(chart, key="timeline")
        st.caption(TIMELINE)
    rows = parts.assign(**{name: parts[column] * memory.scale for column, name in PEAKS.items()})
    rows[ENERGY] = joules_per_thousand_tokens(parts)
    columns = [
        tables.text("part", "part", "What of a step; the last row is all of it."),
        tables.number("seconds_median", "seconds", "Median over the timed steps.", "%.4f"),
        tables.number("seconds_p25", "a quarter below", "A quarter of the steps took less.", "%.4f"),
        tables.number("seconds_p75", "a quarter above", "A quarter of the steps took more.", "%.4f"),
        *(
            tables.number(name, f"{name} ({memory.unit})", MEANINGS[name], memory.printf)
            for name in PEAKS.values()
            if rows[name].notna().any()
        ),
        *([tables.number(ENERGY, "J per 1,000 tokens", JOULES, "%.3g")] if rows[ENERGY].notna().any() else []),
    ]
    show_table(rows, columns, key="step-parts")
    downloads(rows, columns, name="step-parts")


def _unit(parts: pd.DataFrame) -> Quantity:
    return fitted(MEMORY, pd.DataFrame({MEMORY.name: [parts[list(PEAKS)].max().max()]}))
