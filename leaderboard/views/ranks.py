"""How much rank, and how large a base? Score, forgetting, memory and speed against the rank and the base's size."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from leaderboard import controls, quantities, tables
from leaderboard.arms import named, trained
from leaderboard.filters import filtered
from leaderboard.layout import draw, panels
from leaderboard.pictures.lines import lines
from leaderboard.quantities import BASE_SIZE, COSTS, RANK, SCORES, Quantity, in_units, measured
from leaderboard.scope import Scope, page

SHOWN = (quantities.TARGET, quantities.FORGETTING, quantities.MEMORY, quantities.TOKENS)
AGAINST = {"rank": RANK, "size": BASE_SIZE}
SAID = {"rank": "the rank", "size": "the size of the base"}
LINE = {"rank": "family", "size": "recipe"}  # what is joined
NOTHING = {
    "rank": "None of these arms has a rank: nothing but full weights was trained.",
    "size": "The size of these arms' bases is not known.",
}
READ = {
    "rank": "A line joins the ranks of one method on one base; bands are 95 % intervals. Dashed right across: all "
    "weights are trained, so there is no rank.",
    "size": "A line joins one method at one rank from base to base; bands are 95 % intervals.",
}
WORDS = (tables.ARM, tables.text("method", "method", "full SFT, LoRA, QLoRA or DPO."), tables.BASE)


def show(scope: Scope) -> None:
    """The page."""
    st.title("Ranks and sizes")
    arms = trained(filtered(named(scope.summary())))
    if arms.empty:
        st.info("No trained arm: nothing was trained and scored yet, or the filters leave none.")
        return
    arms = arms.assign(recipe=arms["name"] + arms["section"].map(" · {}".format))
    there = measured(arms, (*SCORES, *COSTS))
    against, shown = _asked(there)
    (across,) = measured(arms, (AGAINST[against],)) or (None,)
    if across is None:
        st.info(NOTHING[against])
        return
    arms = in_units(arms, [*there, across])
    _few(arms, against, across)
    _pictures(arms, across, shown, LINE[against])
    st.caption(READ[against])
    _table(arms, [across, *shown])


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


def _pictures(arms: pd.DataFrame, across: Quantity, shown: Sequence[Quantity], line: str) -> None:
    """Against the rank a picture a quantity and base; against the size of the base one a quantity."""
    alone = across.name == BASE_SIZE.name or arms["base"].nunique() == 1
    several = []
    for quantity in shown:
        found = panels(lines(arms, across, quantity, line), arms.assign(all=""), "all" if alone else "base")
        several += [replace(one, title=" · ".join(filter(None, (quantity.label, one.title)))) for one in found]
    draw(several, key="lines", say=f"By {across.label}", columns=2 if alone else min(3, arms["base"].nunique()))


def _table(arms: pd.DataFrame, shown: Sequence[Quantity]) -> None:
    columns = [*WORDS, *(tables.of_quantity(one) for one in shown)]
    ordered = arms.sort_values(["method", "family", shown[0].name], kind="stable", na_position="last")
    tables.show_table(ordered, columns, key="ranks")
    tables.downloads(ordered, [*columns, *tables.ends(shown)], name="ranks-and-sizes")


page(show)
