"""Gain against forgetting, run by run; each task before and after; and what became of single answers."""

import pandas as pd

from leaderboard import cache, quantities, tables
from leaderboard.pictures.kept import KINDS, parts_of
from leaderboard.quantities import Quantity, in_units, names_of
from leaderboard.scope import Scope

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
READ_KEPT = (
    "Of each task's items, over all seeds: "
    + "; ".join(f"{kind}: {meaning}" for kind, (meaning, *_) in KINDS.items())
    + ". The parts of a bar come in this order."
)


def runs_of(scope: Scope, arms: pd.DataFrame, up: Quantity, across: Quantity) -> pd.DataFrame:
    """Every run of the arms, in units; none where single runs are not known in both quantities."""
    about = arms[["section", "arm_id", "name", "method", "base"]]
    runs = about.merge(scope.joined(cache.run_points), on=["section", "arm_id"])
    known = {one.name for one in (up, across)} <= set(runs)
    return in_units(runs, (up, across)) if known else runs.assign(**{up.name: None, across.name: None})


def near_to(runs: pd.DataFrame, arms: pd.DataFrame, across: Quantity) -> pd.DataFrame:
    """The runs that are not far off the arms' intervals: a rate that is far too high would press all into a corner."""
    ends = arms[list(names_of(across))].astype(float)
    low, high = ends.min().min(), ends.max().max()
    margin = 0.25 * (high - low)
    return runs[runs[across.name].isna() | runs[across.name].astype(float).between(low - margin, high + margin)]


def answers_kept(scope: Scope, arms: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``forgetting.kept_and_lost`` with the arm's ``row``, ``name`` and ``base``, shares in %; none where no
    answers were kept."""
    about = arms[["section", "arm_id", "row", "name", "base"]]
    answers = about.merge(scope.joined(cache.kept_and_lost), on=["section", "arm_id"])
    return answers.assign(**{kind: 100 * answers[kind] for kind in KINDS}) if len(answers) else answers


def bars_of(answers: pd.DataFrame) -> pd.DataFrame:
    """The parts of the bars of each task, under its ``title``."""
    return parts_of(answers.assign(title=answers["task"] + " (" + answers["metric"] + ")"))
