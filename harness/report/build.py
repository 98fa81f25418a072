"""From a results file to a report: the reader's frames, cut by suite and stack, newest first, never mixed."""

import pandas as pd
from sqlite_utils import Database

from harness.analysis.section import Section as Frames
from harness.report.model import Report, Section
from harness.report.tables import tables
from harness.store import reader


def build_report(db: Database) -> Report:
    """Every table of every suite and stack in ``db``."""
    arms, runs = reader.arms(db), reader.runs(db)
    ended = arms[arms["status"].notna()]
    if ended.empty:
        return Report((), _nothing(runs))
    scores, rates, phases, failures = reader.scores(db), reader.rates(db), reader.phases(db), reader.failures(db)
    items = reader.items(db, scores.loc[scores["chosen"], "run_id"])
    facts = reader.stacks(db).set_index("stack_id")["facts"]
    newest = ended.groupby(["suite", "stack_id"])["last_started_at"].max().sort_values(ascending=False)
    sections = []
    for suite, stack_id in newest.index:
        own = _arms_of(ended, suite, stack_id)
        of_stack = [frame[frame["stack_id"] == stack_id] for frame in (runs, rates, scores, phases, failures)]
        of_arms = [frame[frame["arm_id"].isin(own["arm_id"])] for frame in of_stack]
        runs_, rates_, scores_, phases_, failures_ = of_arms
        frames = Frames(own, runs_, rates_, _evals_of(scores_, suite), items, phases_)
        ended_runs = runs_[~runs_["status"].isin(["queued", "running"])]
        sections.append(
            Section(
                suite=str(suite),
                stack_id=str(stack_id),
                facts=dict(facts[stack_id]),
                runs={str(status): int(n) for status, n in ended_runs["status"].value_counts().items()},
                seeds=tuple(sorted({int(seed) for seed in rates_runs(runs_)})),
                tables=tables(frames, failures_),
            )
        )
    return Report(tuple(sections))


def rates_runs(runs: pd.DataFrame) -> pd.Series:
    """Seeds of the trained quality runs."""
    return runs.loc[(runs["purpose"] == "quality") & runs["learning_rate"].notna(), "seed"].dropna()


def _arms_of(arms: pd.DataFrame, suite: str, stack_id: str) -> pd.DataFrame:
    """The arms of a suite, and the untrained rows of its bases: a base is one cell, whichever suite ran it first."""
    here = arms[arms["stack_id"] == stack_id]
    own = here[here["suite"] == suite]
    shared = (here["method"] == "base") & here["base_digest"].isin(own["base_digest"])
    return here[(here["suite"] == suite) | shared].reset_index(drop=True)


def _evals_of(scores: pd.DataFrame, suite: str) -> pd.DataFrame:
    """The scores in evals that the suite's trained arms have; all where it has none."""
    evals = scores.loc[(scores["suite"] == suite) & (scores["moment"] == "tuned"), "eval_id"].unique()
    return scores[scores["eval_id"].isin(evals)] if len(evals) else scores


def _nothing(runs: pd.DataFrame) -> str:
    going = int(runs["status"].isin(["queued", "running"]).sum())
    if going:
        return f"Nothing to show yet: no run has ended ({going} under way)."
    return "Nothing to show: this file holds no runs. `tunematrix run` makes some."
