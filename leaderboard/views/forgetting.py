"""What did tuning cost in what the model knew before? Gain against forgetting, each general task, and refusals."""

import pandas as pd
import streamlit as st

from leaderboard import cache, controls, go, quantities, tables
from leaderboard.arms import named, trained
from leaderboard.filters import filtered
from leaderboard.layout import beside
from leaderboard.pictures.before_after import before_after
from leaderboard.pictures.forgotten import forgotten
from leaderboard.pictures.kept import KINDS, kept
from leaderboard.pictures.tradeoff import PICK
from leaderboard.quantities import RATE, Quantity, in_units, measured
from leaderboard.scope import Scope, page
from leaderboard.tasks import in_points, unit_of

PAGE = 30  # arms in one picture
UP = (quantities.GAIN, quantities.TARGET)
ACROSS = (quantities.FORGETTING, quantities.PERPLEXITY)
TASKS = (
    tables.ARM,
    tables.text("base_model", "base", "The base model."),
    tables.text("task", "task", "The task."),
    tables.text("metric", "metric", "What its score counts."),
    tables.number("base", "before", "The untrained base's score: in points, or a perplexity.", "%.2f"),
    tables.number("score", "after", "The tuned model's, at the chosen rate, mean over seeds.", "%.2f"),
    tables.number("forgetting", "lost", "Before minus after in points; of a perplexity after over before, above 1 is "
                  "worse.", "%+.2f"),
    tables.number("forgetting_low", "lost from", "End of the 95 % interval.", "%+.2f"),
    tables.number("forgetting_high", "lost to", "End of the 95 % interval.", "%+.2f"),
)  # fmt: skip
KEPT = (
    tables.ARM,
    tables.BASE,
    tables.text("task", "task", "The task."),
    *(tables.number(kind, f"{kind} (%)", f"Share of items and seeds: {words}.", "%.1f")
      for kind, (words, *_) in KINDS.items()),
    tables.number("items", "items", "Items of the task.", "%d"),
    tables.number("seeds", "seeds", "Seeds of the arm.", "%d"),
)  # fmt: skip


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
    up = next((one for one in UP if one in there), None)
    across = next((one for one in ACROSS if one in there), None)
    if up is None or across is None:
        st.info("No arm was scored both on what it was tuned for and on general tasks that its base was scored on.")
        return
    units = in_units(arms, there)
    chart = forgotten(units, _runs(scope, arms, up, across), across, up)
    if chart is None:
        st.info(f"No arm has both {up.label} and {across.label}.")
        return
    event = st.altair_chart(chart, key="forgotten", on_select="rerun", selection_mode=[PICK], alt="Gain by forgetting")
    st.caption(
        "Strong: an arm at its chosen rate, with 95 % intervals. Faint: each run at every rate and seed. Right of the "
        "dotted line something was lost. Click a strong dot to open its run."
    )
    columns = [
        tables.ARM,
        tables.BASE,
        *(tables.of_quantity(one) for one in there),
    ]
    tables.show_table(units, columns, key="forgotten-arms")
    tables.downloads(units, columns, name="forgetting")
    for one in getattr(event, "selection", {}).get(PICK) or []:
        found = arms[(arms["arm_id"] == one.get("arm_id")) & (arms["section"] == one.get("section"))]
        if len(found):
            go.to_arm(scope, found.iloc[0])


def _runs(scope: Scope, arms: pd.DataFrame, up: Quantity, across: Quantity) -> pd.DataFrame:
    """Every run of the arms, in units; none where single runs are not known in both quantities."""
    about = arms[["section", "arm_id", "name", "method", "base"]]
    runs = about.merge(scope.joined(cache.run_points), on=["section", "arm_id"])
    known = {one.name for one in (up, across)} <= set(runs)
    return in_units(runs, (up, across)) if known else runs.assign(**{up.name: None, across.name: None})


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
    tables.show_table(tasks, TASKS, key="tasks")
    tables.downloads(tasks, TASKS, name="general-tasks")


def _side_by_side(tasks: pd.DataFrame, name: str) -> None:
    """A picture a task, two beside each other, of one page of arms."""
    rows = pd.Series(list(dict.fromkeys(tasks["row"])), dtype=object)
    shown = tasks[tasks["row"].isin(list(controls.page_of(rows, PAGE, key=f"page-{name}")))]
    groups = shown.groupby(["task", "metric", "kind"], sort=False)
    for n, (place, ((task, _, kind), own)) in enumerate(beside(groups)):
        place.markdown(f"**{controls.plain(task)}**")
        chart = before_after(own, unit_of(str(kind), own))
        if chart is None:
            place.info("By how much it rose over the base is all that is known; see the table.")
        else:
            place.altair_chart(chart, key=f"{name}-{n}", alt="Scores before and after tuning")


def _safety(scope: Scope, arms: pd.DataFrame, tasks: pd.DataFrame) -> None:
    st.subheader("Refusals kept and lost")
    if tasks.empty:
        st.info("No arm here was scored on a safety task.")
        return
    about = arms[["section", "arm_id", "row", "name", "base"]]
    answers = about.merge(scope.joined(cache.kept_and_lost), on=["section", "arm_id"])
    if answers.empty:
        st.info("Single answers were not kept, so only the scores can be compared.")
        _side_by_side(tasks, "safety")
        return
    answers = answers.assign(**{kind: 100 * answers[kind] for kind in KINDS})
    rows = pd.Series(list(dict.fromkeys(answers["row"])), dtype=object)
    shown = answers[answers["row"].isin(list(controls.page_of(rows, PAGE, key="page-safety")))]
    for n, (place, (task, own)) in enumerate(beside(shown.groupby("task", sort=False))):
        place.markdown(f"**{controls.plain(task)}** ({controls.plain(own['metric'].iloc[0])})")
        chart = kept(own)
        if chart is not None:
            place.altair_chart(chart, key=f"kept-{n}", alt="Items kept and lost")
    st.caption(
        "Of each task's items, over all seeds: what the base got right and the tuned model still does, and what not."
    )
    tables.show_table(answers, KEPT, key="kept")
    tables.downloads(answers, KEPT, name="refusals")


page(show)
