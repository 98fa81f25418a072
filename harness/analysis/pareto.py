"""Which arms are worth a look when several things count: those that no other is supported to beat.

An arm is dominated by another that is at least as good in everything and better in something, if the data support both:

- better in a score: by a paired test, corrected (Holm) over every pair and every score;
- at least as good in a score: by its estimate, and the 95 % interval leaves out a loss of ``LOSS`` or more;
- better in a cost: by ``MINIMUM_RATIO`` or more, since most costs are measured once and have no interval;
- at least as good in a cost: not worse by ``MINIMUM_RATIO`` or more.

What was not measured supports nothing, so such an arm neither dominates nor is dominated.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.corrections import LEVEL, holm
from harness.analysis.verdicts import MINIMUM_RATIO

LOSS = 0.02

Flags = NDArray[np.bool_]


def pareto_set(
    arms: Sequence[str], scores: Mapping[str, pd.DataFrame], costs: Mapping[str, Mapping[str, float | None]]
) -> pd.DataFrame:
    """A row an arm: ``in_set``, and ``dominated_by``, the arms that dominate it (a list).

    ``scores`` holds for each score, in which higher is better, the pairs of arms as ``ranking.compare`` gives them; a
    pair that is not there was not compared. ``costs`` holds for each cost, in which lower is better, the arms' figures.
    """
    better = np.zeros((len(arms), len(arms)), dtype=bool)
    as_good = np.ones_like(better)
    for score_better, score_as_good in _of_scores(arms, scores):
        better |= score_better
        as_good &= score_as_good
    for figures in costs.values():
        values = np.array([figures.get(arm) for arm in arms], dtype=np.float64)
        ratios = values[:, None] / values[None, :]  # NaN, where one is unknown, is neither
        better |= ratios <= 1 / MINIMUM_RATIO
        as_good &= ratios < MINIMUM_RATIO
    dominates = better & as_good & ~np.eye(len(arms), dtype=bool)
    losers = [(loser, [arm for n, arm in enumerate(arms) if dominates[n, m]]) for m, loser in enumerate(arms)]
    rows = [(loser, not by, by) for loser, by in losers]
    return pd.DataFrame(rows, columns=["arm_id", "in_set", "dominated_by"]).set_index("arm_id")


def _of_scores(arms: Sequence[str], scores: Mapping[str, pd.DataFrame]) -> list[tuple[Flags, Flags]]:
    """For each score which arm (row) is supported as better, and as at least as good, than which (column)."""
    tables = [pairs[pairs["first"].isin(arms) & pairs["second"].isin(arms)] for pairs in scores.values()]
    p_values = [pairs["p_value"].to_numpy(dtype=np.float64) for pairs in tables]
    corrected = np.split(holm(np.concatenate([*p_values, []])), np.cumsum([len(p) for p in p_values]))
    return [_of_score(arms, pairs, p) for pairs, p in zip(tables, corrected[: len(tables)], strict=True)]


def _of_score(arms: Sequence[str], pairs: pd.DataFrame, corrected: NDArray[np.float64]) -> tuple[Flags, Flags]:
    place = {arm: n for n, arm in enumerate(arms)}
    first, second = (pairs[side].map(place).to_numpy(dtype=np.intp) for side in ("first", "second"))
    difference, low, high = (pairs[name].to_numpy(dtype=np.float64) for name in ("difference", "low", "high"))
    better = np.zeros((len(arms), len(arms)), dtype=bool)
    as_good = np.zeros_like(better)
    better[first, second] = (difference > 0) & (corrected < LEVEL)
    better[second, first] = (difference < 0) & (corrected < LEVEL)
    as_good[first, second] = (difference >= 0) & (low > -LOSS)
    as_good[second, first] = (difference <= 0) & (high < LOSS)
    return better, as_good | better
