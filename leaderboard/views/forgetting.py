"""What did tuning cost in what the model knew before? Gain against forgetting, each general task, and refusals."""

import pandas as pd
import streamlit as st

from leaderboard import cache, controls, go, quantities, tables
from leaderboard.arms import named, trained
from leaderboard.filters import filtered
from leaderboard.layout import Panel, draw, panels
from leaderboard.pictures.before_after import before_after
from leaderboard.pictures.forgotten import forgotten
from leaderboard.pictures.kept import KINDS, kept, parts_of
from leaderboard.pictures.tradeoff import PICK
from leaderboard.quantities import RATE, Quantity, in_units, measured, names_of
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
    runs = _runs(scope, arms, up, across)
    near = _near(runs, units, across) if not controls.toggle("every run, however far off", key="whole") else runs
    chart = forgotten(units, near, across, up)
    if chart is None:
        st.info(f"No arm has both {up.label} and {across.label}.")
        return
    event = st.altair_chart(chart, key="forgotten", on_select="rerun", selection_mode=[PICK], alt="Gain by forgetting")
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


def _near(runs: pd.DataFrame, arms: pd.DataFrame, across: Quantity) -> pd.DataFrame:
    """The runs that are not far off the arms' intervals: a rate that is far too high would press all into a corner."""
    ends = arms[list(names_of(across))].astype(float)
    low, high = ends.min().min(), ends.max().max()
    margin = 0.25 * (high - low)
    return runs[runs[across.name].isna() | runs[across.name].astype(float).between(low - margin, high + margin)]


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
    several: list[Panel] = []
    for unit, own in shown.assign(unit=unit_of(shown)).groupby("unit", sort=False):
        several += panels(before_after(own, str(unit)), own, "task")
    draw(several, key=name, say="Scores before and after tuning")


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
    bars = parts_of(shown.assign(title=shown["task"] + " (" + shown["metric"] + ")"))
    draw(panels(kept(bars), bars, "title"), key="kept", say="Items kept and lost")
    meanings = "; ".join(f"{kind}: {meaning}" for kind, (meaning, *_) in KINDS.items())
    st.caption(f"Of each task's items, over all seeds: {meanings}. The parts of a bar come in this order.")
    tables.show_table(answers, KEPT, key="kept")
    tables.downloads(answers, KEPT, name="refusals")


page(show)
