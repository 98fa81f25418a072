"""How much rank, and how large a base? Score, forgetting, memory and speed against the rank and the base's size."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from leaderboard import tables
from leaderboard.quantities import BASE_SIZE, COSTS, RANK, SCORES, Quantity, in_units, measured
from leaderboard.rows.arms import named, trained
from leaderboard.rows.ranks import LINE, READ, READ_SEVERAL, SHOWN, in_families, rank_columns, rank_panels
from leaderboard.scope import Scope
from leaderboard.widgets import controls
from leaderboard.widgets.filters import filtered
from leaderboard.widgets.layout import draw
from leaderboard.widgets.scope import page
from leaderboard.widgets.tables import downloads, show_table

AGAINST = {"rank": RANK, "size": BASE_SIZE}
SAID = {"rank": "the rank", "size": "the size of the base"}
NOTHING = {
    "rank": "None of these arms has a rank: nothing but full weights was trained.",
    "size": "The size of these arms' bases is not known.",
}


def show(scope: Scope) -> None:
    """The page."""
    st.title("Ranks and sizes")
    arms = trained(filtered(named(scope.summary())))
    if arms.empty:
        st.info("No trained arm: nothing was trained and scored yet, or the filters leave none.")
        return
    there = measured(arms, (*SCORES, *COSTS))
    against, shown = _asked(there)
    (across,) = measured(arms, (AGAINST[against],)) or (None,)
    if across is None:
        st.info(NOTHING[against])
        return
    arms = in_units(arms, [*there, across])
    _few(arms, against, across)
    several, columns = rank_panels(arms, across, shown, LINE[against])
    draw(several, key="lines", say=f"By {across.label}", columns=columns)
    st.caption(f"{READ[against]} {READ_SEVERAL}" if arms["section"].nunique() > 1 else READ[against])
    ordered = in_families(arms, across)
    told = rank_columns([across, *shown])
    show_table(ordered, told, key="ranks")
    downloads(ordered, [*told, *tables.ends([across, *shown])], name="ranks-and-sizes")


def _asked(there: Sequence[Quantity]) -> tuple[str, list[Quantity]]:
    by_label = {one.label: one for one in there}
    left, right = st.columns([1, 3])
    with left:
        against = controls.choose("Against", list(AGAINST), key="against", show=lambda name: SAID[name])
    with right:
        usual = [one.label for one in SHOWN if one.label in by_label]
        wanted = controls.choose_several("Figures", list(by_label), key="figures", default=usual, placeholder="usual")
    return against, [by_label[label] for label in wanted or usual]


def _few(arms: pd.DataFrame, against: str, across: Quantity) -> None:
    """Say where there is no line to draw."""
    values = arms.groupby(LINE[against])[across.name].nunique()
    if values.max() < 2:
        each = "method was trained at one rank" if against == "rank" else "recipe was trained on bases of one size"
        st.info(f"Each {each} only: there are points, and no lines between them.")


page(show)
