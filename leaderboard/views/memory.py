"""What are the bytes? Each arm's memory by component and phase, as measured and as predicted."""

import pandas as pd
import streamlit as st

from harness.analysis.costs import ALLOCATED, LEDGER, RESERVED
from harness.analysis.memory import COMPONENTS, DEVICE, MEASURES, RESIDENT, REST, WHOLE
from leaderboard import cache, controls, tables
from leaderboard.arms import named
from leaderboard.filters import filtered
from leaderboard.pictures.memory import MEASURED, PREDICTED, against_cards, stacks
from leaderboard.quantities import MEMORY, Quantity, fitted, in_units
from leaderboard.scope import Scope, page

ARM = ["section", "arm_id"]
PHASES = ("load", "train")  # in the order of a run's life; others after them
PICTURED = 40
MEANINGS = {
    ALLOCATED: "Peak of what PyTorch's CUDA allocator handed out.",
    RESERVED: "Peak of what PyTorch's CUDA allocator took from the device: allocated, and what it keeps for later.",
    DEVICE: "Peak of the process' share of the GPU as the driver sees it, with the GPU's own context.",
    RESIDENT: "Peak of the process' resident memory over what it held when the phase began.",
    LEDGER: "Peak of tensor bytes counted one by one: weights, state, gradients, activations; no temporaries.",
}
PARTS = {
    "weights": "The model's weights and buffers.",
    "quantisation": "Scales and codes of weights in 4 bit.",
    "adapter": "The adapter's weights.",
    "gradient": "Gradients at the moment of the peak.",
    "optimizer": "State of the optimizer.",
    "activation": "What autograd keeps for the backward pass.",
    REST: "The allocator's peak minus the ledger: temporaries, and what is lost between blocks.",
    WHOLE: "The whole peak of a phase in which no ledger was kept.",
}


def show(scope: Scope) -> None:
    """The page."""
    st.title("Memory")
    arms = filtered(named(scope.summary()))
    peaks, parts, predicted = _frames(scope)
    peaks = _of(arms, peaks)
    if peaks.empty:
        st.info("No run of these arms had the device to itself yet, so nothing is known of their memory.")
        return
    memory = fitted(MEMORY, peaks.rename(columns={"whole_bytes": MEMORY.name}))
    told = [_of(arms, parts).assign(told=MEASURED), _of(arms, predicted).assign(told=PREDICTED)]
    bars = pd.concat([frame for frame in told if len(frame)] or told[:1], ignore_index=True)
    bars = in_units(bars.rename(columns={"bytes": MEMORY.name}), [memory])
    _picture(bars, arms, memory)
    _table(peaks, bars, memory)


def _frames(scope: Scope) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Peaks, components and predictions of all sections."""
    found = [[frame.assign(section=n) for frame in cache.memory(key)] for n, key in enumerate(scope.sections)]
    peaks, parts, predicted = (
        pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)
        for frames in map(list, zip(*found, strict=True))
    )
    return peaks, parts, predicted


def _of(arms: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of these arms in the arms' order, phases in the order of a run's life."""
    order = {phase: n for n, phase in enumerate(PHASES)}
    found = arms[[*ARM, "row", "method", "base"]].merge(rows, on=ARM)
    return found.sort_values("phase", key=lambda names: names.map(order).fillna(len(order)), kind="stable")


def _picture(bars: pd.DataFrame, arms: pd.DataFrame, memory: Quantity) -> None:
    cards = controls.toggle(
        "every card, on a logarithmic axis", key="cards", help="Cards of 8 to 141 GB, whatever the size of the bars."
    )
    order = [row for row in arms["row"] if row in set(bars["row"])]
    shown = bars[bars["row"].isin(order[:PICTURED])]
    chart = (against_cards if cards else stacks)(shown, order[:PICTURED], memory)
    if chart is None:
        st.info("No tensor bytes were measured for these arms; the table has what else is known.")
        return
    st.altair_chart(chart, key="memory")
    if len(order) > PICTURED:
        st.caption(f"The picture shows the first {PICTURED} of {len(order)} arms.")
    what = "Marks: each arm's highest peak." if cards else "Bars: what the bytes are at the peak of a phase."
    st.caption(f"{what} Runs alone on the device. Dashed lines: a card's memory, a GB taken as 2^30 bytes; a GPU's "
               "own context comes on top of what is shown.")  # fmt: skip


def _table(peaks: pd.DataFrame, bars: pd.DataFrame, memory: Quantity) -> None:
    sums = bars.pivot_table(index=[*ARM, "phase"], columns="told", values=memory.name, aggfunc="sum")
    own = bars[bars["told"] == MEASURED]
    wide = own.pivot_table(index=[*ARM, "phase"], columns="component", values=memory.name, aggfunc="sum")
    rows = peaks[[*ARM, "row", "base", "method", "phase"]].join(wide, on=[*ARM, "phase"])
    for name, column in MEASURES.items():
        rows[name] = pd.to_numeric(peaks[column]).astype(float) * memory.scale
    if PREDICTED in sums:
        rows = rows.join(sums[PREDICTED], on=[*ARM, "phase"])
    columns = [*WORDS, *_columns(rows, memory)]
    tables.show_table(rows, columns, key="memory")
    tables.downloads(rows, columns, name="memory")
    st.caption("Measures are different numbers of the same run and are never added up. Hover over a head to read "
               "what it means.")  # fmt: skip


WORDS = (
    tables.text("row", "arm", "The entry in the matrix, what it starts from, and its rank."),
    tables.text("base", "base", "The base model."),
    tables.text("phase", "phase", "load, train: of the arm's own stage; run: everything together."),
)


def _columns(rows: pd.DataFrame, memory: Quantity) -> list[tables.Column]:
    """Those of the components and measures that are there."""
    known = {**{name: f"Part of the peak. {PARTS[name]}" for name in (*COMPONENTS, REST, WHOLE)}, **MEANINGS,
             PREDICTED: "What was predicted before it ran, all components together."}  # fmt: skip
    there = [name for name in known if name in rows and rows[name].notna().any()]
    return [tables.number(name, f"{name} ({memory.unit})", known[name], memory.printf) for name in there]


page(show)
