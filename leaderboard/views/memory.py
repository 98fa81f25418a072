"""What are the bytes? Each arm's memory by component and phase, as measured and as predicted."""

import pandas as pd
import streamlit as st

from leaderboard import controls, tables
from leaderboard.arms import named
from leaderboard.filters import filtered
from leaderboard.pictures.memory import PREDICTED, against_cards, stacks, totals
from leaderboard.quantities import Quantity
from leaderboard.rows.memory import memory_of, memory_table
from leaderboard.scope import Scope, page

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
    tables.show_table(rows, columns, key="memory")
    tables.downloads(rows, columns, name="memory")
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
    if cards:
        st.altair_chart(against_cards(shown, order[:PICTURED], memory), key="cards-picture")
    else:
        _stacks(shown, order[:PICTURED], memory)
    if len(order) > PICTURED:
        st.caption(f"The picture shows the first {PICTURED} of {len(order)} arms.")
    if cards:
        what = "Each arm's highest peak, as its method's mark."
    else:
        what = "Bars: what the bytes are at the peak of a phase, and at their end the method's mark."
        what += " Faint: as predicted before it ran." if (shown["told"] == PREDICTED).any() else ""
    st.caption(f"{what} Runs alone on the device. Dashed lines: a card's memory, a GB taken as 2^30 bytes; a GPU's own "
               "context comes on top of what is shown.")  # fmt: skip


def _stacks(shown: pd.DataFrame, order: list[str], memory: Quantity) -> None:
    """A picture a phase, of one scale."""
    top = totals(shown, memory)[memory.name].max()
    phases = list(dict.fromkeys(shown["phase"]))
    for phase in phases:
        if len(phases) > 1:
            st.subheader(controls.plain(phase))
        st.altair_chart(stacks(shown[shown["phase"] == phase], order, memory, top), key=f"memory-{phase}")


page(show)
