"""What are the bytes? Each arm's memory by component and phase, as measured and as predicted."""

from collections.abc import Iterator

import pandas as pd
import streamlit as st

from leaderboard.pictures import AnyChart
from leaderboard.pictures.memory import PREDICTED, against_cards, stacks, totals
from leaderboard.quantities import Quantity
from leaderboard.rows.arms import named
from leaderboard.rows.memory import memory_of, memory_table
from leaderboard.scope import Scope
from leaderboard.widgets import controls
from leaderboard.widgets.filters import filtered
from leaderboard.widgets.saving import picture
from leaderboard.widgets.scope import page
from leaderboard.widgets.tables import downloads, show_table

PICTURED = 40


def show(scope: Scope) -> None:
    """The page."""
    st.title("Memory")
    arms = filtered(named(scope.summary()))
    found = memory_of(scope, arms)
    if found is None:
        st.info("No run of these arms had the device to itself yet, so nothing is known of their memory.")
        return
    _picture(found.bars, arms, found.titled)
    rows, columns = memory_table(found)
    show_table(rows, columns, key="memory")
    downloads(rows, columns, name="memory")
    st.caption("Measures are different numbers of the same run and are never added up. Hover over a head to read "
               "what it means.")  # fmt: skip


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
        picture(chart, key=f"memory-{phase}")
    if len(order) > PICTURED:
        st.caption(f"The picture shows the first {PICTURED} of {len(order)} arms.")
    if cards:
        what = "Each arm's highest peak, as its method's mark."
    else:
        what = "Bars: what the bytes are at the peak of a phase, and at their end the method's mark."
        what += " Faint: as predicted before it ran." if (shown["told"] == PREDICTED).any() else ""
    st.caption(f"{what} Runs alone on the device. Dashed lines: a card's memory, a GB taken as 10^9 bytes; a GPU's own "
               "context comes on top of what is shown.")  # fmt: skip


def _charts(shown: pd.DataFrame, order: list[str], memory: Quantity, cards: bool) -> Iterator[tuple[str, AnyChart]]:
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


page(show)
