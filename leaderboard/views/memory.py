"""What are the bytes? Each arm's memory by component and phase, as measured and as predicted."""

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd
import streamlit as st

from harness.analysis.memory import REST, WHOLE, in_order
from leaderboard import cache, controls, measures, tables
from leaderboard.arms import named
from leaderboard.filters import filtered
from leaderboard.pictures.axes import Drawn
from leaderboard.pictures.memory import MEASURED, PREDICTED, against_cards, stacks, totals
from leaderboard.quantities import MEMORY, Quantity, fitted, in_units
from leaderboard.scope import Scope, page

ARM = ["section", "arm_id"]
PICTURED = 40
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
    kinds = list(peaks["measure"].dropna().unique())
    _picture(bars, arms, replace(memory, label=f"memory, {kinds[0]}") if len(kinds) == 1 else memory)
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
    return in_order(arms[[*ARM, "row", "method", "base"]].merge(rows, on=ARM))


def _picture(bars: pd.DataFrame, arms: pd.DataFrame, memory: Quantity) -> None:
    cards = controls.toggle(
        "every card, on a logarithmic axis", key="cards", help="Cards of 8 to 141 GB, whatever the size of the bars."
    )
    order = [row for row in arms["row"] if row in set(bars["row"])]
    shown = bars[bars["row"].isin(order[:PICTURED])]
    if shown.empty:
        st.info("No tensor bytes were measured for these arms; the table has what else is known.")
        return
    for phase, chart in _charts(shown, order[:PICTURED], memory, cards):
        if phase:
            st.subheader(controls.plain(phase))
        st.altair_chart(chart, key=f"memory-{phase}")
    if len(order) > PICTURED:
        st.caption(f"The picture shows the first {PICTURED} of {len(order)} arms.")
    if cards:
        what = "Each arm's highest peak, as its method's mark."
    else:
        what = "Bars: what the bytes are at the peak of a phase, and at their end the method's mark."
        what += " Faint: as predicted before it ran." if (shown["told"] == PREDICTED).any() else ""
    st.caption(f"{what} Runs alone on the device. Dashed lines: a card's memory, a GB taken as 2^30 bytes; a GPU's own "
               "context comes on top of what is shown.")  # fmt: skip


def _charts(shown: pd.DataFrame, order: list[str], memory: Quantity, cards: bool) -> Iterator[tuple[str, Drawn]]:
    """The pictures, with the phase that each is of where there are several: these have one scale."""
    if cards:
        phases, charts = [""], [against_cards(shown, order, memory)]
    else:
        top = totals(shown, memory)[memory.name].max()
        phases = list(dict.fromkeys(shown["phase"]))
        charts = [stacks(shown[shown["phase"] == phase], order, memory, top) for phase in phases]
    for phase, chart in zip(phases, charts, strict=True):
        if chart is not None:
            yield (phase if len(phases) > 1 else ""), chart


def _table(peaks: pd.DataFrame, bars: pd.DataFrame, memory: Quantity) -> None:
    sums = bars.pivot_table(index=[*ARM, "phase"], columns="told", values=memory.name, aggfunc="sum")
    own = bars[bars["told"] == MEASURED]
    wide = own.pivot_table(index=[*ARM, "phase"], columns="component", values=memory.name, aggfunc="sum")
    told_apart_first = peaks.sort_values("whole_bytes", key=pd.isna, kind="stable")
    rows = measures.in_unit(told_apart_first, memory).join(wide, on=[*ARM, "phase"])
    if PREDICTED in sums:
        rows = rows.join(sums[PREDICTED], on=[*ARM, "phase"])
    columns = [*WORDS, *_parts(rows, memory), *measures.columns(rows, memory), *_predicted(rows, memory)]
    tables.show_table(rows, columns, key="memory")
    tables.downloads(rows, columns, name="memory")
    st.caption("Measures are different numbers of the same run and are never added up. Hover over a head to read "
               "what it means.")  # fmt: skip


WORDS = (
    tables.text("row", "arm", "The entry in the matrix, what it starts from, and its rank."),
    tables.BASE,
    tables.text("phase", "phase", "load, train: of the arm's own stage; run: everything together."),
)


def _parts(rows: pd.DataFrame, memory: Quantity) -> list[tables.Column]:
    return [
        tables.number(name, f"{name} ({memory.unit})", f"Part of the peak. {meaning}", memory.printf)
        for name, meaning in PARTS.items()
        if name in rows and rows[name].notna().any()
    ]


def _predicted(rows: pd.DataFrame, memory: Quantity) -> list[tables.Column]:
    meaning = "What was predicted before it ran, all components together."
    title = f"{PREDICTED} ({memory.unit})"
    return [tables.number(PREDICTED, title, meaning, memory.printf)] if PREDICTED in rows else []


page(show)
