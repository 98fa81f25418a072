"""What did tuning cost in what the model knew before? Gain against forgetting, each general task, and refusals."""

import pandas as pd
import streamlit as st

from leaderboard import cache, tables
from leaderboard.pictures.before_after import before_after
from leaderboard.pictures.forgotten import forgotten
from leaderboard.pictures.kept import kept
from leaderboard.pictures.panels import Panel, panels
from leaderboard.pictures.tradeoff import PICK
from leaderboard.quantities import RATE, in_units, measured
from leaderboard.rows.arms import named, trained
from leaderboard.rows.forgetting import ACROSS, KEPT, READ_KEPT, TASKS, UP, answers_kept, bars_of, near_to, runs_of
from leaderboard.rows.tasks import in_points, unit_of
from leaderboard.scope import Scope
from leaderboard.widgets import controls, go
from leaderboard.widgets.filters import filtered
from leaderboard.widgets.layout import draw
from leaderboard.widgets.saving import picture
from leaderboard.widgets.scope import page
from leaderboard.widgets.tables import downloads, show_table

PAGE = 30  # arms in one picture


def show(scope: Scope) -> None:
    """The page."""
    st.title("Forgetting")
    arms = trained(filtered(named(scope.summary())))
    if arms.empty:
        st.info("No trained arm: nothing was trained and scored yet, or the filters leave none.")
        return
    _whole(scope, arms)
    tasks = in_points(scope.joined(cache.tasks), arms)
    _general(tasks[tasks["role"] == "general"])
    _safety(scope, arms, tasks[tasks["role"] == "safety"])


def _whole(scope: Scope, arms: pd.DataFrame) -> None:
    """Gain against forgetting."""
    there = measured(arms, (*UP, *ACROSS, RATE))
    up, across = (next((one for one in wanted if one in there), None) for wanted in (UP, ACROSS))
    if up is None or across is None:
        st.info("No arm was scored both on what it was tuned for and on general tasks that its base was scored on.")
        return
    units = in_units(arms, there)
    runs = runs_of(scope, arms, up, across)
    near = near_to(runs, units, across) if not controls.toggle("every run, however far off", key="whole") else runs
    chart = forgotten(units, near, across, up)
    if chart is None:
        st.info(f"No arm has both {up.label} and {across.label}.")
        return
    event = picture(chart, key="forgotten", on_select="rerun", selection_mode=[PICK], alt="Gain by forgetting")
    st.caption(
        "Strong: an arm at its chosen rate, with 95 % intervals. Faint: each run at every rate and seed"
        + (f" ({len(runs) - len(near)} lie outside the picture). " if len(near) < len(runs) else ". ")
        + "Right of the dotted line something was lost. Click a strong dot to open its run."
    )
    columns = [
        tables.ARM,
        tables.BASE,
        *(tables.of_quantity(one) for one in there),
    ]
    show_table(units, columns, key="forgotten-arms")
    downloads(units, columns, name="forgetting")
    for one in getattr(event, "selection", {}).get(PICK) or []:
        found = arms[(arms["arm_id"] == one.get("arm_id")) & (arms["section"] == one.get("section"))]
        if len(found):
            go.to_arm(scope, found.iloc[0])


def _general(tasks: pd.DataFrame) -> None:
    st.subheader("General tasks before and after")
    if tasks.empty:
        st.info("No arm here was scored on a general task.")
        return
    _side_by_side(tasks, "general")
    st.caption(
        "Grey bar: the base before tuning. Mark: the tuned model, with its 95 % interval. Of a score less is worse, of "
        "a perplexity more is."
    )
    show_table(tasks, TASKS, key="tasks")
    downloads(tasks, TASKS, name="general-tasks")


def _side_by_side(tasks: pd.DataFrame, name: str) -> None:
    """A picture a task, two beside each other, of one page of arms."""
    rows = pd.Series(list(dict.fromkeys(tasks["row"])), dtype=object)
    shown = tasks[tasks["row"].isin(list(controls.page_of(rows, PAGE, key=f"page-{name}")))]
    several: list[Panel] = []
    for unit, own in shown.assign(unit=unit_of(shown)).groupby("unit", sort=False):
        several += panels(before_after(own, str(unit)), own, "task")
    draw(several, key=name, say="Scores before and after tuning")


def _safety(scope: Scope, arms: pd.DataFrame, tasks: pd.DataFrame) -> None:
    st.subheader("Refusals kept and lost")
    if tasks.empty:
        st.info("No arm here was scored on a safety task.")
        return
    answers = answers_kept(scope, arms)
    if answers.empty:
        st.info("Single answers were not kept, so only the scores can be compared.")
        _side_by_side(tasks, "safety")
        return
    rows = pd.Series(list(dict.fromkeys(answers["row"])), dtype=object)
    shown = answers[answers["row"].isin(list(controls.page_of(rows, PAGE, key="page-safety")))]
    bars = bars_of(shown)
    draw(panels(kept(bars), bars, "title"), key="kept", say="Items kept and lost")
    st.caption(READ_KEPT)
    show_table(answers, KEPT, key="kept")
    downloads(answers, KEPT, name="refusals")


page(show)
