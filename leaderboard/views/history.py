"""Has it changed? A figure of one or several arms over stacks and snapshots, with the steps marked and named."""

import streamlit as st

from harness.analysis.steps import FEWEST_VALUES
from harness.history import METRICS, History
from harness.report import words
from leaderboard import cache, tables
from leaderboard.pictures import past as pictures
from leaderboard.quantities import ALL, Quantity, measured
from leaderboard.rows import history as past
from leaderboard.rows.arms import named, trained
from leaderboard.scope import Scope
from leaderboard.texts import short
from leaderboard.widgets import controls
from leaderboard.widgets.saving import picture
from leaderboard.widgets.scope import page
from leaderboard.widgets.tables import downloads, show_table


def show(scope: Scope) -> None:
    """The page."""
    st.title("History")
    suite = scope.sections[0].suite
    keys = [key for one in scope.listings for key in one.sections if key.suite == suite]
    known = past.arms_of([part for _, part in scope.parts()])
    quantity, wanted = _asked(scope, known)
    arms = [known[name] for name in wanted]
    ids = tuple(arm.arm_id for arm in arms)
    pasts = [cache.past(key, ids) for key in sorted(keys, key=lambda key: key.last_started_at)]
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
    _table(points, quantity)


def _asked(scope: Scope, known: dict) -> tuple[Quantity, list[str]]:
    arms = named(scope.summary())
    there = {one.label: one for one in measured(arms, [one for one in ALL if one.name in METRICS])}
    usual = list(dict.fromkeys(trained(arms)["arm_id"]))[:3]
    default = [name for arm_id in usual for name, arm in known.items() if arm.arm_id == arm_id]
    left, right = st.columns([1, 2])
    with left:
        label = controls.choose("Figure", list(there), key="figure")
    with right:
        chosen = controls.choose_several(
            "Arms", list(known), key="arms", default=default or list(known)[:1], placeholder="the best three"
        )
    return there[label], chosen or default or list(known)[:1]


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


def _table(points, quantity: Quantity) -> None:
    columns = [
        tables.text("arm", "arm", "The arm, with its base."),
        tables.text("when", "last run", "When its last run there began (UTC)."),
        tables.text("source", "results", "The results file or snapshot."),
        tables.text("stack", "stack", "The software and hardware that it ran on, by the start of its id."),
        tables.number("value", quantity.title, quantity.meaning, quantity.printf),
        tables.number("low", "from", "Lower end of the 95 % interval.", quantity.printf),
        tables.number("high", "to", "Upper end of the 95 % interval.", quantity.printf),
        tables.text("step", "step", "Whether the level went up or down here for good."),
        tables.text("changes", "changed since the point before", "What differs between the two stacks."),
    ]
    show_table(points, columns, key="past")
    downloads(points, columns, name="history")


page(show)
