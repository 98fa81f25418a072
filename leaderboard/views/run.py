"""Everything of one run: what it is, how it learned, what it took, how it scored, and what it answered."""

import json
from typing import Any

import pandas as pd
import streamlit as st

from harness.analysis.answers import OUTCOMES
from harness.analysis.memory import in_order, with_resident_increase
from harness.errors import UserError
from harness.report.words import rate, seconds
from harness.rerun import matrix_text, stored
from leaderboard import cache, controls, measures, tables
from leaderboard.arms import named
from leaderboard.pictures import run as pictures
from leaderboard.results import SectionKey
from leaderboard.rows.items import item_columns
from leaderboard.runs import HASHED, OneRun
from leaderboard.scope import Scope, page

TRAINING, SCORES, ITEMS, RECIPE, STACK = "Training", "Scores", "Items", "Recipe", "Stack"
ITEMS_PAGE = 50


def show(scope: Scope) -> None:
    """The page."""
    st.title("Run")
    arms = named(scope.summary())
    runs = _runs(scope, arms)
    if runs.empty:
        st.info("No run of these results has ended yet.")
        return
    chosen = _chosen(runs, arms)
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
        _items(key, found)
    elif what == RECIPE:
        _recipe(found)
    else:
        _stack(found)


# --- which run -------------------------------------------------------------------------------------------------------


def _runs(scope: Scope, arms: pd.DataFrame) -> pd.DataFrame:
    """The runs of every section that have ended, best ones first within an arm, with the arm's ``row`` and place."""
    frames = [part.frames.runs.assign(section=n) for n, (_, part) in enumerate(scope.parts())]
    runs = pd.concat([frame for frame in frames if len(frame)] or frames, ignore_index=True)
    places = arms[["section", "arm_id", "row", "name"]].assign(place=range(len(arms)))
    runs = runs[~runs["status"].isin(["queued", "running"])].merge(places, on=["section", "arm_id"])
    runs["quality"] = runs["purpose"] == "quality"
    runs["ok"] = runs["status"] == "ok"
    order = ["place", "chosen", "rate_chosen", "quality", "ok", "seed", "started_at"]
    return runs.sort_values(order, ascending=[True, False, False, False, False, True, False], ignore_index=True)


def _chosen(runs: pd.DataFrame, arms: pd.DataFrame) -> "pd.Series[Any]":
    """The run that the address names, else the first; other ones to choose by arm, rate and seed."""
    wanted = st.query_params.get("run")
    found = runs[runs["run_id"] == wanted]
    if wanted and found.empty:
        st.warning("The address names a run that is not in the chosen results; this is another one.")
    run = (found if len(found) else runs).iloc[0]
    here = str(run["run_id"])
    left, middle, right = st.columns([3, 1, 3])
    with left:
        names = runs.drop_duplicates("place")
        at = int((names["place"] < run["place"]).sum())
        place = names["place"].iloc[controls.pick("Arm", list(names["row"]), at, key=f"arm-{here}", show=str)]
    own = runs[runs["place"] == place]
    with middle:
        rates = sorted(own["learning_rate"].dropna().unique())
        if rates and place == run["place"] and pd.notna(run["learning_rate"]):
            at = rates.index(run["learning_rate"])
            picked = rates[controls.pick("Learning rate", rates, at, key=f"rate-{here}", show=rate)]
            own = own[own["learning_rate"] == picked]
    with right:
        ids = list(own["run_id"])
        at = ids.index(here) if here in ids else 0
        told = own.apply(_told, axis=1).tolist()
        picked = ids[controls.pick("Seed and purpose", told, at, key=f"seed-{here}-{len(ids)}-{place}", show=str)]
    if picked != here:
        st.query_params["run"] = picked
        st.rerun()
    return run


def _told(run: "pd.Series[Any]") -> str:
    seed = "" if pd.isna(run["seed"]) else f"seed {run['seed']:g} · "
    return f"{seed}{run['purpose']} · {run['status']} · {str(run['started_at'])[:16].replace('T', ' ')}"


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
    st.text(controls.short(", ".join(words), controls.LONGEST))
    st.text(f"run {run['run_id']}")
    if run["status"] != "ok":
        where = f" while it was in {run['failed_phase']}" if run["failed_phase"] else ""
        st.error(controls.plain(f"It ended as {run['status']}{where}: {run['reason'] or 'no reason recorded'}"))


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
        st.altair_chart(chart, key="phases")
    _phase_table(own)


def _curves(found: OneRun, position: int, heading: str | None) -> None:
    if heading is not None:
        st.subheader(controls.plain(heading))
    for figure in pictures.FIGURES:
        chart = pictures.curve(found.steps[found.steps["position"] == position], figure, str(found.run["method"]))
        if chart is not None:
            st.altair_chart(chart, key=f"curve-{position}-{figure}")


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
    tables.show_table(own, columns, key="phases")
    tables.downloads(own, columns, name="phases")


def _scores(found: OneRun) -> None:
    scores = found.scores
    if scores.empty:
        st.info(_not_scored(found))
        return
    chart = pictures.moments(_with_base(found), str(found.run["method"]))
    if chart is not None:
        st.altair_chart(chart, key="moments")
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
    tables.show_table(rows, columns, key="scores")
    tables.downloads(rows, columns, name="scores")


def _with_base(found: OneRun) -> pd.DataFrame:
    """The run's scores, and the base's of the same evals."""
    own = found.scores
    base = found.base_scores[found.base_scores["eval_id"].isin(own["eval_id"])]
    return own if (own["moment"] == "base").any() else pd.concat([base, own], ignore_index=True)


def _not_scored(found: OneRun) -> str:
    if found.run["purpose"] == "measure":
        return "A measure run has the device to itself for memory and speed, and is not scored: see the quality runs."
    return "This run was not scored."


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
    dirty = {None: "not recorded", 0: "no", 1: "yes"}[run["git_dirty"]]
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
    tables.show_table(rows, columns, key="stack")
    tables.downloads(rows, columns, name="stack")


# --- the items -------------------------------------------------------------------------------------------------------


def _items(key: SectionKey, found: OneRun) -> None:
    moments = list(dict.fromkeys(found.items["moment"]))
    if not moments:
        st.info("No items were kept of this run." if len(found.scores) else _not_scored(found))
        return
    first = next((moment for moment in ("tuned", "prompted", "base") if moment in moments), moments[0])
    moment = controls.choose("Moment", moments, key="moment", default=first) if len(moments) > 1 else first
    rows, problems = cache.items(key, str(found.run["run_id"]), moment)
    counts = rows.groupby(["task", "outcome"], as_index=False).size().rename(columns={"size": "items"})
    chart = pictures.outcomes(counts, list(OUTCOMES))
    if chart is not None:
        st.altair_chart(chart, key="outcomes")
    compared = found.base_items["eval_id"].isin(rows["eval_id"]).any()
    st.caption(f"What became of each item{', from the base to this run' if compared else ''}. Tasks that ask for a "
               "likelihood have no right and wrong.")  # fmt: skip
    for problem in problems:
        st.info(controls.plain(f"No texts, but item numbers and outcomes: {problem}."))
    if rows["after"].str.startswith(HASHED).any():
        st.info("These results were published without what the models generated: such answers are hashes; equal ones "
                "are equal answers.")  # fmt: skip
    if moment == "prompted":
        st.caption("The examples that stood before each question are left out here.")
    wanted = _filtered(rows)
    _item_table(controls.page_of(wanted, ITEMS_PAGE, key="items"), wanted, moment, compared)


def _filtered(rows: pd.DataFrame) -> pd.DataFrame:
    left, middle, right = st.columns(3)
    with left:
        there = [outcome for outcome in OUTCOMES if (rows["outcome"] == outcome).any()]
        outcomes = controls.choose_several("Outcome", there, key="outcome")
    with middle:
        tasks = controls.choose_several("Task", list(dict.fromkeys(rows["task"])), key="task")
    with right:
        words = controls.search("Search", key="q", placeholder="in prompts and answers").lower().split()
    if outcomes:
        rows = rows[rows["outcome"].isin(outcomes)]
    if tasks:
        rows = rows[rows["task"].isin(tasks)]
    text = (rows["prompt"] + " " + rows["expected"] + " " + rows["before"] + " " + rows["after"]).str.lower()
    for word in words:
        rows = rows[text.loc[rows.index].str.contains(word, regex=False)]
    return rows


def _item_table(shown: pd.DataFrame, wanted: pd.DataFrame, moment: str, compared: bool) -> None:
    if shown.empty:
        st.info("No item matches these filters.")
        return
    columns = item_columns(moment, compared)
    picked = tables.show_table(shown, columns, key="items", select=True)
    tables.downloads(wanted, columns, name="items")
    st.caption("Of choices the likeliest is the answer. Click the box at the left of a row to read it whole.")
    if picked is not None:
        row = shown.iloc[picked]
        for column in columns[3:]:
            st.text(column.label)
            st.code(row[column.name] or " ", language=None, wrap_lines=True)


def _stage_name(position: int, name: str) -> str:
    return f"{position + 1}. {controls.short(name, 40)}"


page(show)
