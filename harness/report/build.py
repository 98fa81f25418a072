"""From a results file to a report: the reader's frames, cut by suite and stack, newest first, never mixed."""

import pandas as pd
from sqlite_utils import Database

from harness.analysis.section import Section as Frames
from harness.report.model import Report, Section
from harness.report.tables import tables
from harness.store import reader
from harness.store.schema import UNFINISHED


def build_report(db: Database) -> Report:
    """Every table of every suite and stack in ``db``."""
    arms, runs = reader.arms(db), reader.runs(db)
    ended = arms[arms["status"].notna()]
    if ended.empty:
        return Report((), _nothing(runs))
    scores, rates, phases, failures = reader.scores(db), reader.rates(db), reader.phases(db), reader.failures(db)
    items = reader.items(db, scores.loc[scores["chosen"], "run_id"])
    facts = reader.stacks(db).set_index("stack_id")["facts"]
    sections = []
    for suite, stack_id in _newest_first(ended):
        own = _arms_of(ended, suite, stack_id)
        here = [
            frame[(frame["stack_id"] == stack_id) & frame["arm_id"].isin(own["arm_id"])]
            for frame in (runs, rates, scores, phases, failures)
        ]
        own_runs, own_rates, own_scores, own_phases, own_failures = here
        frames = Frames(own, own_runs, own_rates, _evals_of(own_scores, suite), items, own_phases)
        over = own_runs[~own_runs["status"].isin(UNFINISHED)]
        sections.append(
            Section(
                suite=str(suite),
                stack_id=str(stack_id),
                facts=dict(facts[stack_id]),
                runs={str(status): int(n) for status, n in over["status"].value_counts().items()},
                seeds=_seeds(own_runs),
                tables=tables(frames, own_failures),
            )
        )
    return Report(tuple(sections))


def _newest_first(arms: pd.DataFrame) -> list[tuple[str, str]]:
    """Suites and stacks by their last trained run; a base's run may belong to another suite as well."""
    dated = arms.assign(trained=arms["method"] != "base").sort_values(["trained", "last_started_at"])
    last = dated.groupby(["suite", "stack_id"])["last_started_at"].last().sort_values(ascending=False)
    return list(last.index)


def _seeds(runs: pd.DataFrame) -> tuple[int, ...]:
    trained = runs.loc[(runs["purpose"] == "quality") & runs["learning_rate"].notna(), "seed"]
    return tuple(sorted({int(seed) for seed in trained.dropna()}))


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
    going = int(runs["status"].isin(UNFINISHED).sum())
    if going:
        return f"Nothing to show yet: no run has ended ({going} under way)."
    return "Nothing to show: this file holds no runs. `tunematrix run` makes some."
