"""Was each arm trained at a good learning rate? Its curve over the grid, and whether a better one may lie beyond."""

import pandas as pd
import streamlit as st

from leaderboard.pictures.panels import panels
from leaderboard.pictures.rates import EDGES, rate_curve
from leaderboard.rows.arms import named
from leaderboard.rows.rates import TABLE, curves_of, told
from leaderboard.scope import Scope
from leaderboard.widgets import controls
from leaderboard.widgets.filters import filtered
from leaderboard.widgets.layout import draw
from leaderboard.widgets.scope import page
from leaderboard.widgets.tables import downloads, show_table

PAGE = 12  # pictures
AT_EDGE = "at an edge of the grid"


def show(scope: Scope) -> None:
    """The page."""
    st.title("Learning rates")
    arms = filtered(named(scope.summary()))
    curves = curves_of(scope, arms)
    if curves.empty:
        st.info("No arm here has a grid of learning rates: nothing was trained, or whoever trained it named no rate.")
        return
    _summary(curves)
    if controls.toggle("only those at an edge", key="edges"):
        at_edge = curves.loc[curves["edge"].notna(), "row"]
        curves = curves[curves["row"].isin(at_edge)]
    _pictures(curves)
    shown = told(curves)
    show_table(shown, TABLE, key="rates")
    downloads(shown, TABLE, name="learning-rates")


def _summary(curves: pd.DataFrame) -> None:
    chosen = curves[curves["chosen"]]
    if chosen.empty:
        st.info("No rate was chosen: every run of these arms failed, or none was scored on validation data.")
        return
    edges = chosen["edge"].value_counts()
    several = ", ".join(f"{count} {EDGES[str(edge)]}" for edge, count in edges.items())
    if several:
        st.markdown(f"{len(chosen)} arms chose a rate, {edges.sum()} of them {AT_EDGE} ({several}): a better one may "
                    "lie beyond it.")  # fmt: skip
    else:
        st.markdown(f"All {len(chosen)} arms chose a rate inside their grid.")


def _pictures(curves: pd.DataFrame) -> None:
    rows = pd.Series(list(dict.fromkeys(curves["row"])), dtype=object)
    shown = curves[curves["row"].isin(list(controls.page_of(rows, PAGE, key="page")))]
    losses = shown["higher_is_better"] == 0
    for name, several in (("score", shown[~losses]), ("loss", shown[losses])):
        draw(panels(rate_curve(several), several, "row"), key=f"rates-{name}", say="Score by learning rate", columns=3)
    st.caption(
        "Dashed, hollow: validation, by which the rate is chosen. Solid, filled: test, with the range of its seeds; it "
        "takes no part in the choice. Dotted upright: the chosen rate, with a word where it is at an edge of the grid. "
        "Cross at the bottom: runs failed at that rate. All scores are on one scale."
    )


page(show)
