"""What one suite on one stack holds, ready for the tables: arms, their outcomes, and the evals that compare them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from harness.analysis import effects
from harness.analysis.outcomes import NATS_OVER_BASE, Key, Outcomes, collect
from harness.analysis.uncertainty import Interval
from harness.naming import arm_name

HEADLINE = ("tuned", "prompted", "base")


@dataclass(frozen=True)
class Eval:
    """What a test eval asks, and for what."""

    task: str
    role: str
    metric: str
    higher_is_better: bool


@dataclass(frozen=True, eq=False)
class Section:
    """The reader's frames, cut down to one suite and one stack: never more than one of either in a table."""

    arms: pd.DataFrame
    runs: pd.DataFrame
    rates: pd.DataFrame
    scores: pd.DataFrame
    items: pd.DataFrame
    phases: pd.DataFrame

    @cached_property
    def outcomes(self) -> dict[Key, Outcomes]:
        """Outcomes in test evals at the chosen rates, by arm, moment and eval: validation has done its part by then."""
        return collect(self.scores[self.scores["chosen"] & (self.scores["split"] == "test")], self.items)

    @cached_property
    def moments(self) -> dict[str, str]:
        """Each arm's headline moment: tuned, or prompted or base where nothing was trained."""
        found: dict[str, set[str]] = {}
        for arm, moment, _ in self.outcomes:
            if moment in HEADLINE:
                found.setdefault(arm, set()).add(moment)
        return {arm: min(moments, key=HEADLINE.index) for arm, moments in found.items()}

    @cached_property
    def names(self) -> dict[str, str]:
        """Each arm's name within a base, by its id; with the start of the id where two are alike."""
        return arm_names(self.arms)

    @cached_property
    def bare_bases(self) -> dict[str, str]:
        """The arm of the untrained, unquantised, unprompted model of each base, by the base's digest."""
        arms = self.arms
        bare = arms[(arms["method"] == "base") & (arms["quantisation"] == "none") & (arms["shots"] == 0)]
        return dict(zip(bare["base_digest"], bare["arm_id"], strict=True))

    def evals(self, role: str, higher_is_better: bool = True) -> list[str]:
        """The test evals of a role that all trained arms were scored on; else those that most of them were.

        Means over different tasks compare nothing. Where nothing was trained every arm counts.
        """
        return self._evals.get((role, higher_is_better), [])

    @cached_property
    def _evals(self) -> dict[tuple[str, bool], list[str]]:
        scores = self.scores[self.scores["chosen"] & (self.scores["split"] == "test") & self.scores["value"].notna()]
        trained = scores[scores["moment"] == "tuned"]
        kinds = (trained if len(trained) else scores).groupby(["role", "higher_is_better"])
        return {(str(role), bool(higher)): _most_scored(rows) for (role, higher), rows in kinds}

    @cached_property
    def test_evals(self) -> dict[str, Eval]:
        """The facts of every test eval, by its id."""
        scores = self.scores[(self.scores["split"] == "test")].drop_duplicates("eval_id")
        facts = scores[["eval_id", "task", "role", "metric", "higher_is_better"]].itertuples(index=False)
        return {eval_id: Eval(task, role, metric, bool(higher)) for eval_id, task, role, metric, higher in facts}

    @cached_property
    def scored(self) -> dict[str, list[str]]:
        """The test evals that each arm was scored on at its headline moment, by the arm's id, ordered by task."""
        found: dict[str, list[str]] = {}
        for arm, moment, eval_id in self.outcomes:
            if moment == self.moments.get(arm):
                found.setdefault(arm, []).append(eval_id)
        return {arm: sorted(evals, key=lambda e: (self.test_evals[e].task, e)) for arm, evals in found.items()}

    def of(self, arm: str, evals: Sequence[str], moment: str | None = None) -> list[Outcomes]:
        """An arm's outcomes in the evals, in their order, at its headline moment or another; none if one is missing."""
        moment = moment or self.moments.get(arm, "")
        found = [self.outcomes.get((arm, moment, eval_id)) for eval_id in evals]
        return [outcomes for outcomes in found if outcomes is not None] if all(o is not None for o in found) else []

    def answers(self, arms: Iterable[str], role: str) -> dict[str, list[Outcomes]]:
        """The outcomes in a role's evals (where higher is better) of those of the arms that were scored on all."""
        evals = self.evals(role)
        return {arm: outcomes for arm in arms if (outcomes := self.of(arm, evals))} if evals else {}

    def score(self, arm: str, evals: Sequence[str]) -> Interval | None:
        """See ``effects.score``, of an arm at its headline moment; worked out once."""
        key = (arm, None, tuple(evals))
        if key not in self._known:
            self._known[key] = effects.score(self.of(arm, evals))
        return self._known[key]

    def change(self, arm: str, before: str, evals: Sequence[str]) -> Interval | None:
        """See ``effects.change``, of one arm minus another; None where one was not scored; worked out once."""
        key = (arm, before, tuple(evals))
        if key not in self._known:
            own, others = self.of(arm, evals), self.of(before, evals)
            self._known[key] = effects.change(own, others) if own and others else None
        return self._known[key]

    @cached_property
    def _known(self) -> dict[tuple[str, str | None, tuple[str, ...]], Interval | None]:
        return {}

    def of_base(self, base: str | None, eval_id: str) -> list[Outcomes]:
        """What an arm's base answered in an eval, none where it was not scored on it; where a score is a rise over the
        base, that is no rise."""
        if self.test_evals[eval_id].metric == NATS_OVER_BASE:
            return [Outcomes((), np.zeros((1, 1)))]
        return self.of(base, [eval_id]) if base else []

    def base_of(self, arm: Mapping[Any, Any]) -> str | None:
        """The bare base that an arm's gain and forgetting are measured from; None for that base itself."""
        base = self.bare_bases.get(arm["base_digest"])
        return None if base == arm["arm_id"] else base


def arm_names(arms: pd.DataFrame) -> dict[str, str]:
    """The name of each arm by its id, from label, parent_arm_id, rank and base_digest; with the start of the id where
    two of one base are alike."""
    labels = dict(zip(arms["arm_id"], arms["label"], strict=True))
    facts = arms[["arm_id", "label", "parent_arm_id", "rank", "base_digest"]].itertuples(index=False)
    named = [
        (arm, base, arm_name(label, labels.get(parent), None if pd.isna(rank) else rank))
        for arm, label, parent, rank, base in facts
    ]
    alike = Counter((base, name) for _, base, name in named)
    return {arm: f"{name} #{arm[:6]}" if alike[base, name] > 1 else name for arm, base, name in named}


def _most_scored(scores: pd.DataFrame) -> list[str]:
    counts = scores.groupby(["task", "eval_id"])["arm_id"].nunique()
    return [eval_id for (_, eval_id), count in counts.items() if count == counts.max()]
