"""Which arm is best? One row an arm: what it gained, what it forgot, what it cost, and what can't be told apart."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from leaderboard.pictures.lineup import lineup
from leaderboard.quantities import Quantity, in_units, measured
from leaderboard.rows.arms import named
from leaderboard.rows.leaderboard import FIGURES, PICTURED, arm_columns, pictured
from leaderboard.scope import Scope
from leaderboard.widgets import controls, go
from leaderboard.widgets.filters import filtered
from leaderboard.widgets.saving import picture
from leaderboard.widgets.scope import page
from leaderboard.widgets.tables import downloads, show_table

PAGE = 100


def show(scope: Scope) -> None:
    """The page."""
    st.title("Leaderboard")
    arms = filtered(named(scope.summary()), ("base", "method", "rank", "status"), search=True)
    if arms.empty:
        st.info("No arm matches these filters.")
        return
    there = measured(arms, FIGURES)
    arms = _sorted(in_units(arms, there), there)
    shown = controls.page_of(arms, PAGE, key="page")
    _picture(shown.head(PICTURED), pictured(there), len(arms))
    _table(shown, arms, there, scope)


def _sorted(arms: pd.DataFrame, there: Sequence[Quantity]) -> pd.DataFrame:
    orders = {"standing": "best target first", **{one.name: one.label for one in there}, "name": "name"}
    left, right, _ = st.columns([2, 1, 4], vertical_alignment="bottom")
    with left:
        by = controls.choose("Sort by", list(orders), key="sort", show=lambda name: orders[name])
    with right:
        reverse = controls.toggle("reverse", key="reverse")
    if by == "standing":
        return arms.iloc[::-1] if reverse else arms  # the summary's own order, base by base
    better = {one.name: one.better for one in there}.get(by)
    ascending = (better != "more") != reverse
    return arms.sort_values(by, ascending=ascending, kind="stable", na_position="last")


def _picture(arms: pd.DataFrame, there: Sequence[Quantity], total: int) -> None:
    panel = lineup(arms, there)
    if panel is not None:
        picture(panel, key="lineup")
    if total > len(arms):
        st.caption(f"The picture shows the first {len(arms)} of {total} arms in this order.")
    st.caption("Dots: estimates with 95 % intervals over items and seeds. Bars: costs, alone on the device.")


def _table(shown: pd.DataFrame, arms: pd.DataFrame, there: Sequence[Quantity], scope: Scope) -> None:
    usual, known = ({column.label: column for column in columns} for columns in arm_columns(there))
    with st.expander("Columns"):
        wanted = controls.choose_several(
            "Columns", list(known), key="columns", default=list(usual), placeholder="the usual"
        )
    columns = [known[label] for label in wanted] or list(usual.values())
    picked = show_table(shown, columns, key="arms", select=True, whole=arms)
    downloads(arms, list(known.values()), name="leaderboard")
    st.caption("Click the box at the left of a row to open the arm's run. Hover over a head to read what it means.")
    if picked is not None:
        go.to_arm(scope, shown.iloc[picked])


page(show)
