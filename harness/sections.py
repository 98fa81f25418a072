"""From a database to what the analysis takes: frames cut by suite and stack, newest first, never mixed."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
from sqlite_utils import Database

from harness.analysis.section import Section, arm_names
from harness.selectors import Named
from harness.store import reader

SHOWN_DIGEST = 6


@dataclass(frozen=True, eq=False)
class Part:
    """One suite on one stack: its frames, the stack's facts, the runs that failed, and the facts of the evals."""

    suite: str
    stack_id: str
    facts: dict[str, Any]
    frames: Section
    failures: pd.DataFrame
    evals: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Contents:
    """A database's frames, each read once and only when something asks for it, all as of when this was made.

    Without ``every_rate`` scores are those at the arms' chosen rates: all that tables show, and quicker to read.
    ``only`` cuts everything down to one suite on one stack before it is read, ``arms_only`` (ids) further, to these
    and what they are measured from: see ``reader.excerpt``.
    """

    db: Database
    every_rate: bool = True
    only: tuple[str, str] | None = None
    arms_only: Collection[str] | None = None

    def __post_init__(self) -> None:
        if self.only is None:
            reader.settle(self.db)
        else:
            reader.excerpt(self.db, *self.only, self.arms_only)

    @cached_property
    def arms(self) -> pd.DataFrame:
        """The arms of which a run has ended."""
        arms = reader.arms(self.db)
        return arms[arms["status"].notna()]

    @cached_property
    def runs(self) -> pd.DataFrame:
        """See ``reader.runs``."""
        return reader.runs(self.db)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """See ``reader.scores``."""
        if self.every_rate:
            return reader.scores(self.db, self.runs)
        return reader.scores(self.db, self.runs[self.runs["rate_chosen"] | (self.runs["method"] == "base")])

    @cached_property
    def items(self) -> pd.DataFrame:
        """Those of the runs at their arms' chosen rates."""
        return self._items_of(self.scores)

    @cached_property
    def evals(self) -> pd.DataFrame:
        """See ``reader.evals``."""
        return reader.evals(self.db)

    @cached_property
    def rates(self) -> pd.DataFrame:
        """See ``reader.rates``."""
        return reader.rates(self.db)

    @cached_property
    def phases(self) -> pd.DataFrame:
        """See ``reader.phases``."""
        return reader.phases(self.db, self.runs)

    @cached_property
    def failures(self) -> pd.DataFrame:
        """See ``reader.failures``."""
        return reader.failures(self.db)

    @cached_property
    def facts(self) -> dict[str, dict[str, Any]]:
        """Each stack's facts by its id."""
        return {str(key): dict(facts) for key, facts in reader.stacks(self.db).set_index("stack_id")["facts"].items()}

    def keys(self) -> list[tuple[str, str]]:
        """Every suite and stack, by their last trained run, newest first."""
        return _newest_first(self.arms)

    def parts(self) -> list[Part]:
        """Every suite on every stack, newest first."""
        return [self.part(suite, stack_id) for suite, stack_id in self.keys()]

    def named(self, suite: str, stack_id: str) -> list[Named]:
        """What the arms of one suite on one stack can be found by."""
        return named_arms(_arms_of(self.arms, suite, stack_id))

    def part(self, suite: str, stack_id: str, wanted: Collection[str] | None = None) -> Part:
        """One suite on one stack; with ``wanted`` these arms alone (by id), the untrained ones of their bases, and the
        arms that they start from: of those what they cost, and no score."""
        own = scored = _arms_of(self.arms, suite, stack_id)
        if wanted is not None:
            chosen = own["arm_id"].isin(wanted)
            chosen |= (own["method"] == "base") & own["base_digest"].isin(own.loc[chosen, "base_digest"])
            scored = own[chosen]
            own = own[chosen | own["arm_id"].isin(scored["parent_arm_id"])]
        runs, rates, phases, failures = (
            frame[(frame["stack_id"] == stack_id) & frame["arm_id"].isin(own["arm_id"])]
            for frame in (self.runs, self.rates, self.phases, self.failures)
        )
        scores = self.scores[(self.scores["stack_id"] == stack_id) & self.scores["arm_id"].isin(scored["arm_id"])]
        items = self.items if wanted is None else self._items_of(scores)
        runs, rates, failures, scores = (_based(frame, own) for frame in (runs, rates, failures, scores))
        frames = Section(own, runs, rates, evals_of(scores, suite), items, phases)
        return Part(suite, stack_id, self.facts[stack_id], frames, failures, self.evals)

    def _items_of(self, scores: pd.DataFrame) -> pd.DataFrame:
        return reader.items(self.db, scores.loc[scores["chosen"], "run_id"])


def named_arms(arms: pd.DataFrame) -> list[Named]:
    """What the arms of one suite and stack, as the reader gives them, can be found by."""
    names = arm_names(arms)
    facts = arms[["arm_id", "label", "method", "base", "rank"]].itertuples(index=False)
    return [
        Named(arm, names[arm], label, method, base, None if pd.isna(rank) else int(rank))
        for arm, label, method, base, rank in facts
    ]


def _newest_first(arms: pd.DataFrame) -> list[tuple[str, str]]:
    """Suites and stacks by their last trained run; a base's run may belong to another suite as well."""
    dated = arms.assign(trained=arms["method"] != "base").sort_values(["trained", "last_started_at"])
    last = dated.groupby(["suite", "stack_id"])["last_started_at"].last().sort_values(ascending=False)
    return [(str(suite), str(stack_id)) for suite, stack_id in last.index]


def _arms_of(arms: pd.DataFrame, suite: str, stack_id: str) -> pd.DataFrame:
    """The arms of a suite, and the untrained rows of its bases: a base is one cell, whichever suite ran it first."""
    here = arms[arms["stack_id"] == stack_id]
    own = here[here["suite"] == suite]
    shared = (here["method"] == "base") & here["base_digest"].isin(own["base_digest"])
    return _with_bases_apart(here[(here["suite"] == suite) | shared].reset_index(drop=True))


def _with_bases_apart(arms: pd.DataFrame) -> pd.DataFrame:
    """With the start of its digest behind a base's name where another base is called the same: weights that were
    changed under their name are another model, and never compared as one."""
    alike = arms.groupby("base")["base_digest"].transform("nunique") > 1
    return arms.assign(base=arms["base"].where(~alike, arms["base"] + " #" + arms["base_digest"].str[:SHOWN_DIGEST]))


def _based(frame: pd.DataFrame, arms: pd.DataFrame) -> pd.DataFrame:
    """The frame with each arm's base by the name that ``arms`` have."""
    return frame.assign(base=frame["arm_id"].map(arms.set_index("arm_id")["base"]))


def evals_of(scores: pd.DataFrame, suite: str) -> pd.DataFrame:
    """The scores in evals that the suite's trained arms have; all where it has none."""
    evals = scores.loc[(scores["suite"] == suite) & (scores["moment"] == "tuned"), "eval_id"].unique()
    return scores[scores["eval_id"].isin(evals)] if len(evals) else scores
