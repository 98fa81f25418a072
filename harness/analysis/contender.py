"""One side of a comparison: an arm where it stands, with what it is measured from."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from harness.analysis import costs
from harness.analysis.matched import run_points
from harness.analysis.outcomes import Outcomes, common_seeds, minus
from harness.analysis.section import Section
from harness.analysis.summary import arm_costs


@dataclass(frozen=True, eq=False)
class Side:
    """A section that arms are taken from, with what all of them need, computed once.

    ``machine`` names what the runs ran on: speed and memory of different machines are not compared.
    """

    section: Section
    machine: str = ""

    @cached_property
    def costs(self) -> dict[str, dict[Hashable, Any]]:
        """Each arm's row of ``summary.arm_costs``, with ``whole_tuning_seconds``."""
        table = arm_costs(self.section)
        return table.assign(whole_tuning_seconds=costs.whole_tuning_seconds(table)).to_dict("index")

    @cached_property
    def repeats(self) -> dict[str, list[dict[Hashable, Any]]]:
        """Each arm's rows of ``costs.repeats``."""
        found: dict[str, list[dict[Hashable, Any]]] = {}
        for row in costs.repeats(self.section.phases).reset_index().to_dict("records"):
            found.setdefault(row["arm_id"], []).append(row)
        return found

    @cached_property
    def scores_of(self) -> dict[str, pd.DataFrame]:
        """Each arm's rows of the scores, at all rates."""
        return {str(arm): rows for arm, rows in self.section.scores.groupby("arm_id", sort=False)}


@dataclass(frozen=True, eq=False)
class Contender:
    """An arm of a side."""

    side: Side
    arm_id: str

    @property
    def evals(self) -> list[str]:
        """The test evals it was scored on."""
        return self.side.section.scored.get(self.arm_id, [])

    def outcomes(self, eval_id: str) -> Outcomes:
        """What it answered in one of its evals."""
        return self.side.section.of(self.arm_id, [eval_id])[0]

    @property
    def trained(self) -> bool:
        """Did it learn anything?"""
        return bool(pd.notna(self.side.costs[self.arm_id]["chosen_rate"]))

    @cached_property
    def base(self) -> str | None:
        """The untrained arm that its gain and forgetting are measured from."""
        return self.side.section.base_of(self.side.costs[self.arm_id])

    def moved(self, evals: list[str]) -> list[Outcomes]:
        """Its outcomes minus its base's in each eval, at the seeds scored on all of them; none where one is missing."""
        section = self.side.section
        own, base = section.of(self.arm_id, evals), section.of(self.base, evals) if self.base else []
        moved = common_seeds([minus(*pair) for pair in zip(own, base, strict=True)]) if own and base else []
        return moved if all(len(outcomes.table) for outcomes in moved) else []

    def points(self, target: list[str], general: list[str]) -> pd.DataFrame:
        """See ``matched.run_points``."""
        return run_points(self.side.scores_of[self.arm_id], target, general)

    def cost(self, name: str) -> float | None:
        """One of its costs; None where it was not measured."""
        value = self.side.costs[self.arm_id][name]
        return None if pd.isna(value) else float(value)

    @property
    def memory_measure(self) -> str:
        """Which of the memory figures its memory is."""
        return str(self.side.costs[self.arm_id]["memory_measure"])

    def measurements(self, name: str) -> list[float]:
        """Every measurement of its memory_bytes or tokens_per_second."""
        return [row[name] for row in self.side.repeats.get(self.arm_id, ()) if pd.notna(row[name])]
