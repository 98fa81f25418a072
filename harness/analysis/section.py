"""What one suite on one stack holds, ready for the tables: arms, their outcomes, and the evals that compare them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from harness.analysis.outcomes import Key, Outcomes, collect

HEADLINE = ("tuned", "prompted", "base")


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
        """Outcomes at the chosen rates, by arm, moment and eval."""
        return collect(self.scores[self.scores["chosen"]], self.items)

    @cached_property
    def moments(self) -> dict[str, str]:
        """Each arm's headline moment: tuned, or prompted or base where nothing was trained."""
        found: dict[str, set[str]] = {}
        for arm, moment, _ in self.outcomes:
            if moment in HEADLINE:
                found.setdefault(arm, set()).add(moment)
        return {arm: min(moments, key=HEADLINE.index) for arm, moments in found.items()}

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

    def of(self, arm: str, evals: Sequence[str], moment: str | None = None) -> list[Outcomes]:
        """An arm's outcomes in the evals, in their order, at its headline moment or another; none if one is missing."""
        moment = moment or self.moments.get(arm, "")
        found = [self.outcomes.get((arm, moment, eval_id)) for eval_id in evals]
        return [outcomes for outcomes in found if outcomes is not None] if all(o is not None for o in found) else []

    def base_of(self, arm: pd.Series) -> str | None:
        """The bare base that an arm's gain and forgetting are measured from; None for that base itself."""
        base = self.bare_bases.get(arm["base_digest"])
        return None if base == arm["arm_id"] else base


def _most_scored(scores: pd.DataFrame) -> list[str]:
    counts = scores.groupby(["task", "eval_id"])["arm_id"].nunique()
    return [eval_id for (_, eval_id), count in counts.items() if count == counts.max()]
