"""Has it changed? A figure of one or several arms over stacks and snapshots, with the steps marked and named."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from harness.analysis.steps import FEWEST_VALUES
from harness.history import METRICS, History
from harness.report import words
from harness.selectors import Named
from leaderboard import cache
from leaderboard.pictures import past as pictures
from leaderboard.quantities import ALL, Quantity, fitted
from leaderboard.rows import history as past
from leaderboard.scope import Scope
from leaderboard.texts import short
from leaderboard.widgets import controls
from leaderboard.widgets.saving import picture
from leaderboard.widgets.scope import page
from leaderboard.widgets.tables import downloads, show_table

FIGURES = {one.label: one for one in ALL if one.name in METRICS}


def show(scope: Scope) -> None:
    """The page."""
    st.title("History")
    suite = scope.sections[0].suite
    keys = [key for one in scope.listings for key in one.sections if key.suite == suite]
    known = past.arms_of([cache.named(key) for key in scope.sections])
    quantity, wanted = _asked(scope, known)
    arms = [known[name] for name in wanted]
    ids = tuple(arm.arm_id for arm in arms)
    pasts = [cache.past(key, ids) for key in sorted(keys, key=lambda key: key.last_started_at)]
    quantity = fitted(quantity, pd.concat([one.arms for one in pasts]))
    histories = past.histories_of(quantity, arms, pasts)
    if not histories:
        st.info(f"{quantity.label} was not measured of these arms in any run at hand.")
        return
    points = past.table(histories, quantity)
    chart = pictures.past(points, quantity)
    if chart is not None:
        picture(chart, key="past")
    for history in histories:
        st.text(f"{short(words.text(history.arm.full_name), 120)}: {_said(history)}")
    st.caption(
        "A point is an arm on one stack, with its 95 % interval; every source at hand is looked at, not only the "
        "results that are chosen. A dashed line marks a step: the level changed for good, beyond the noise of "
        "neighbouring points, and beside it stands what changed in the stack."
    )
    show_table(points, past.columns(quantity), key="past")
    downloads(points, past.columns(quantity), name="history")


def _asked(scope: Scope, known: Mapping[str, Named]) -> tuple[Quantity, list[str]]:
    left, right = st.columns([1, 2])
    with left:
        label = controls.choose("Figure", list(FIGURES), key="figure")
    with right:
        default = [] if "arms" in st.query_params else past.best_of(scope, known)  # for whom all of a section is read
        chosen = controls.choose_several("Arms", list(known), key="arms", default=default, placeholder="the best three")
    return FIGURES[label], chosen or default or past.best_of(scope, known)


def _said(history: History) -> str:
    count = len(history.points)
    if history.steps:
        said = f"{len(history.steps)} step{'s' if len(history.steps) > 1 else ''} in {count} points"
    elif count < FEWEST_VALUES:
        said = f"{count} of the {FEWEST_VALUES} points that a step takes to be told from noise"
    else:
        said = f"no step beyond the noise in {count} points"
    if history.left_out:
        said += f"; {history.left_out} left out, measured another way than the newest ({history.points[-1].measure})"
    return said


page(show)
