"""Everything of one run: what it is, how it learned, what it took, how it scored, and what it answered."""

import json
from typing import Any

import pandas as pd
import streamlit as st

from harness.analysis.memory import in_order, with_resident_increase
from harness.errors import UserError
from harness.report.words import count, rate, seconds
from harness.rerun import matrix_text, stored
from leaderboard import cache, tables
from leaderboard.pictures import run as pictures
from leaderboard.rows import measures
from leaderboard.rows.arms import named
from leaderboard.rows.run import OneRun
from leaderboard.scope import Scope
from leaderboard.texts import short
from leaderboard.widgets import controls
from leaderboard.widgets.run_items import show_items
from leaderboard.widgets.run_step import show_step
from leaderboard.widgets.saving import picture
from leaderboard.widgets.scope import page
from leaderboard.widgets.tables import downloads, show_table
from leaderboard.widgets.which_run import choose_run, runs_of

TRAINING, SCORES, ITEMS, RECIPE, STACK = "Training", "Scores", "Items", "Recipe", "Stack"


def show(scope: Scope) -> None:
    """The page."""
    st.title("Run")
    arms = named(scope.summary())
    runs = runs_of(scope, arms)
    if runs.empty:
        st.info("No run of these results has ended yet.")
        return
    chosen = choose_run(runs)
    key = scope.sections[int(chosen["section"])]
    found = cache.run(key, str(chosen["run_id"]))
    if found is None:
        st.info("This run is no longer in the results.")
        return
    _headline(found, chosen)
    what = controls.part((TRAINING, SCORES, ITEMS, RECIPE, STACK), key="show")
    if what == TRAINING:
        _training(found, cache.part(key).frames.phases)
    elif what == SCORES:
        _scores(found)
    elif what == ITEMS:
        show_items(key, found)
    elif what == RECIPE:
        _recipe(found)
    else:
        _stack(found)


def _headline(found: OneRun, chosen: "pd.Series[Any]") -> None:
    run = found.run
    words = [
        f"{chosen['name']} on {run['base']}",
        *([f"learning rate {rate(run['learning_rate'])}"] if run["learning_rate"] is not None else []),
        *([f"seed {run['seed']}"] if run["seed"] is not None else []),
        f"{run['purpose']} run: {run['status']}",
        *([f"in {seconds(run['wall_seconds'])}"] if run["wall_seconds"] is not None else []),
        f"on {str(run['started_at'])[:16].replace('T', ' ')} UTC",
    ]
    st.text(short(", ".join(words), controls.LONGEST))
    told = [
        *([f"{count(run['trainable_parameters'])} of {count(run['total_parameters'])} parameters trained"]
          if run["trainable_parameters"] and run["total_parameters"] else []),
        *([f"{count(run['real_tokens'])} tokens seen"] if run["real_tokens"] else []),
        f"run {run['run_id']}",
    ]  # fmt: skip
    st.text(", ".join(told))
    if run["status"] != "ok":
        where = f" while it was in {run['failed_phase']}" if run["failed_phase"] else ""
        st.error(controls.plain(f"It ended as {run['status']}{where}: {run['reason'] or 'no reason recorded'}"))
    elif run["reason"]:  # a good run says what it lacks
        st.warning(controls.plain(run["reason"]))


# --- its parts -------------------------------------------------------------------------------------------------------


def _training(found: OneRun, phases: pd.DataFrame) -> None:
    stages = {stage.position: _stage_name(stage.position, stage.label or stage.kind) for stage in found.stages}
    logged = [position for position in stages if (found.steps["position"] == position).any()]
    if not logged:
        st.info("No loss was logged: nothing was trained here, or it ended before the first step.")
    else:
        for place, position in zip(st.columns(len(logged)), logged, strict=True):
            with place:
                _curves(found, position, stages[position] if len(stages) > 1 else None)
        st.caption("Loss and gradient norm at the logged steps, every stage of the recipe. A stage that another run "
                   "trained is shown as that one logged it.")  # fmt: skip
    own = in_order(phases[phases["run_id"] == found.run["run_id"]]).sort_values("position", kind="stable")
    if own.empty:
        return
    several = own["position"].nunique() > 1
    own["place"] = own["phase"] + (own["position"].map(lambda n: f" · {stages.get(n, '')}") if several else "")
    st.subheader("Phases")
    chart = pictures.phases(own)
    if chart is not None:
        picture(chart, key="phases")
    _phase_table(own)
    show_step(found)


def _curves(found: OneRun, position: int, heading: str | None) -> None:
    if heading is not None:
        st.subheader(controls.plain(heading))
    for figure in pictures.FIGURES:
        chart = pictures.curve(found.steps[found.steps["position"] == position], figure, str(found.run["method"]))
        if chart is not None:
            picture(chart, key=f"curve-{position}-{figure}")


def _phase_table(own: pd.DataFrame) -> None:
    own = with_resident_increase(own)
    memory = measures.unit_of(own)
    own = measures.in_unit(own, memory)
    columns = [
        tables.text("place", "phase", "load, train, evaluate, merge: what the run did, in this order."),
        tables.number("wall_seconds", "seconds", "Time on the clock.", "%.2f"),
        *measures.columns(own, memory),
    ]
    if own["tokens_per_second_median"].notna().any():
        speed = "Real tokens a second, median of the steps after warm-up."
        columns.append(tables.number("tokens_per_second_median", "tokens/s", speed, "%.0f"))
    show_table(own, columns, key="phases")
    downloads(own, columns, name="phases")


def _scores(found: OneRun) -> None:
    scores = found.scores
    if scores.empty:
        st.info(found.why_unscored)
        return
    chart = pictures.moments(_with_base(found), str(found.run["method"]))
    if chart is not None:
        picture(chart, key="moments")
        st.caption("A mark a moment: base is the untrained model on the same items; merged is with the adapter added "
                   "into the weights. Scores that are no share of 1, as perplexity, are in the table.")  # fmt: skip
    wide = _with_base(found).pivot_table(
        index=["task", "role", "split", "metric", "n_items"], columns="moment", values="value", sort=False
    )  # fmt: skip
    rows = wide.reset_index()
    columns = [
        tables.text("task", "task", "The lm-eval task."),
        tables.text("role", "role", "target: tuned for; general: what must not be forgotten; preference; safety."),
        tables.text("split", "split", "validation chooses rates, test judges."),
        tables.text("metric", "metric", "What is counted."),
        *(tables.number(m, m.replace("_", ", "), f"The score of the {m} model.", "%.4f") for m in wide.columns),
        tables.number("n_items", "items", "How many items were asked.", "%d"),
    ]
    show_table(rows, columns, key="scores")
    downloads(rows, columns, name="scores")


def _with_base(found: OneRun) -> pd.DataFrame:
    """The run's scores, and the base's of the same evals."""
    own = found.scores
    base = found.base_scores[found.base_scores["eval_id"].isin(own["eval_id"])]
    return own if (own["moment"] == "base").any() else pd.concat([base, own], ignore_index=True)


def _recipe(found: OneRun) -> None:
    run = found.run
    try:
        text = matrix_text(stored(run, found.stages, found.scores))
        st.write("A matrix file that runs it again:")
        st.code(text, language="yaml", wrap_lines=True)
    except UserError as error:
        st.info(controls.plain(str(error)))
    st.write("The recipe as it is stored, of which its id is the hash:")
    st.code(json.dumps(run["recipe"], indent=1, ensure_ascii=False), language="json", height=300)
    st.write("How it was computed, and what the built trainer said it does:")
    st.code(json.dumps({"execution": run["execution"], "effective": run["effective"]}, indent=1, ensure_ascii=False),
            language="json", height=300)  # fmt: skip


def _stack(found: OneRun) -> None:
    run = found.run
    dirty = None if run["git_dirty"] is None else "yes" if run["git_dirty"] else "no"
    facts = {
        **run["facts"],
        "stack": run["stack_id"],
        "digest of the training code": run["code_digest"],
        "commit": run["git_commit"],
        "uncommitted changes": dirty,
        "results of": run["source"],
    }
    rows = pd.DataFrame([(name, "not recorded" if value is None else str(value)) for name, value in facts.items()],
                        columns=["fact", "value"])  # fmt: skip
    columns = [
        tables.text("fact", "fact", "A library, or a part of the machine."),
        tables.text("value", "value", "Its version, or what it is."),
    ]
    show_table(rows, columns, key="stack")
    downloads(rows, columns, name="stack")


def _stage_name(position: int, name: str) -> str:
    return f"{position + 1}. {short(name, 40)}"


page(show)
