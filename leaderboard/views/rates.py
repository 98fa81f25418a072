"""Was each arm trained at a good learning rate? Its curve over the grid, and whether a better one may lie beyond."""

import pandas as pd
import streamlit as st

from leaderboard import cache, controls, tables
from leaderboard.arms import named
from leaderboard.filters import filtered
from leaderboard.layout import draw, panels
from leaderboard.pictures.rates import EDGES, rate_curve
from leaderboard.scope import Scope, page

PAGE = 12  # pictures
SCORES = ("validation", "test", "test_lowest", "test_highest")
AT_EDGE = "at an edge of the grid"
TABLE = (
    tables.ARM,
    tables.BASE,
    tables.number("learning_rate", "rate", "Learning rate.", "%.1e"),
    tables.number("validation", "validation", "Mean on the validation task over the seeds: what chooses. In points, or "
                  "the metric itself where less is better.", "%.2f"),
    tables.text("role", "of", "What the rate was chosen for: the target or, for DPO, the preference."),
    tables.number("test", "test (points)", "Mean over the test tasks of the same kind and over seeds; takes no part in "
                  "the choice.", "%.1f"),
    tables.number("test_lowest", "lowest seed (points)", "The seed with the lowest test score.", "%.1f"),
    tables.number("test_highest", "highest seed (points)", "The seed with the highest test score.", "%.1f"),
    tables.number("seeds", "seeds", "Seeds that were scored on the validation task.", "%d"),
    tables.text("verdict", "chosen", "Whether this rate was chosen, and whether it is at an edge of the grid."),
    tables.text("failed", "failed", "How many runs failed at this rate, and how they ended."),
)  # fmt: skip


def show(scope: Scope) -> None:
    """The page."""
    st.title("Learning rates")
    arms = filtered(named(scope.summary()))
    curves = _curves(scope, arms)
    if curves.empty:
        st.info("No arm here has a grid of learning rates: nothing was trained, or whoever trained it named no rate.")
        return
    _summary(curves)
    if controls.toggle("only those at an edge", key="edges"):
        at_edge = curves.loc[curves["edge"].notna(), "row"]
        curves = curves[curves["row"].isin(at_edge)]
    _pictures(curves)
    shown = curves.assign(verdict=_verdicts(curves), failed=_failures(curves))
    tables.show_table(shown, TABLE, key="rates")
    tables.downloads(shown, TABLE, name="learning-rates")


def _curves(scope: Scope, arms: pd.DataFrame) -> pd.DataFrame:
    """The curves of the arms, in their order, scores in points; a loss as it is."""
    about = arms[["section", "arm_id", "row", "name", "method", "base"]]
    curves = about.merge(scope.joined(cache.rate_curves), on=["section", "arm_id"])
    losses = curves["higher_is_better"] == 0
    points = {name: 100 * curves[name].astype(float) for name in SCORES}
    points["validation"] = points["validation"].where(~losses, curves["validation"])
    return curves.assign(**points)


def _summary(curves: pd.DataFrame) -> None:
    chosen = curves[curves["chosen"]]
    if chosen.empty:
        st.info("No rate was chosen: every run of these arms failed, or none was scored on validation data.")
        return
    edges = chosen["edge"].value_counts()
    told = [f"{count} {EDGES[str(edge)]}" for edge, count in edges.items()]
    if told:
        st.markdown(f"{len(chosen)} arms chose a rate, {edges.sum()} of them {AT_EDGE} ({', '.join(told)}): a better "
                    "one may lie beyond it.")  # fmt: skip
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


def _verdicts(curves: pd.DataFrame) -> pd.Series:
    edge = curves["edge"].map(lambda edge: f", {EDGES[edge]}" if edge in EDGES else "")
    return ("chosen" + edge).where(curves["chosen"], "")


def _failures(curves: pd.DataFrame) -> pd.Series:
    said = curves["failed_runs"].astype(str) + " " + curves["failures"].astype(object).fillna("")
    return said.where(curves["failed_runs"] > 0, "")


page(show)
