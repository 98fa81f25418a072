"""Scores and what training changed in them, with intervals: each a mean over the tasks of a role.

Accuracies change by points, perplexities by a ratio; the two are never averaged.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.analysis.outcomes import Outcomes, common_seeds, known, paired
from harness.analysis.shares import counted, spread_of_difference, spread_of_shares
from harness.analysis.spread import Block, Spread, spread_of
from harness.analysis.uncertainty import (
    Interval,
    interval_of_difference,
    interval_of_proportion,
    proportion_interval,
    value_interval,
)


def score(evals: Sequence[Outcomes]) -> Interval | None:
    """An arm's mean score over several evals in which higher is better; None where it was scored on none.

    Where an eval's items were not kept the seeds' scores alone tell how much it varies, and of one seed's score the
    number of items.
    """
    evals = common_seeds(evals)
    if not evals or not all(len(outcomes.table) for outcomes in evals):
        return None
    if all(outcomes.by_item for outcomes in evals):
        blocks = [known(outcomes.table) for outcomes in evals]
        if all(block.shape[1] for block in blocks):
            return _of_untrained(proportion_interval(blocks), evals)
    if counted(*evals):
        return _of_untrained(interval_of_proportion(spread_of_shares(evals)), evals)
    means = [np.nanmean(outcomes.table, axis=1, keepdims=True) for outcomes in evals]
    found = value_interval([np.mean(means, axis=0)])
    low, high = (None if end is None else min(1.0, max(0.0, end)) for end in (found.low, found.high))
    return _of_untrained(replace(found, low=low, high=high, p_value=None), evals)


def mean(evals: Sequence[Outcomes]) -> float:
    """The mean over items and seeds in each eval, and then over evals."""
    return float(np.mean([np.nanmean(outcomes.table) for outcomes in evals]))


def perplexity(outcomes: Outcomes) -> float:
    """The mean over seeds, of a table that holds logarithms."""
    return float(np.exp(outcomes.table.mean(axis=1)).mean())


def change(after: Sequence[Outcomes], before: Sequence[Outcomes]) -> Interval | None:
    """Mean score after minus before over the same evals in the same order, paired by item and seed where it can be."""
    spread = spread_between(after, before)
    return _of_untrained(interval_of_difference(spread), [*after, *before]) if spread else None


def spread_between(after: Sequence[Outcomes], before: Sequence[Outcomes]) -> Spread | None:
    """The spread of the mean difference over the same evals in the same order; None where there is no item in common.

    Of paired differences, or of two shares where no items were kept of either.
    """
    if counted(*after, *before):
        return spread_of_difference(after, before)
    blocks = differences(after, before)
    return spread_of(blocks) if blocks else None


def differences(after: Sequence[Outcomes], before: Sequence[Outcomes]) -> list[Block]:
    """After minus before in each eval, (seeds, items), at the seeds that were scored on all of them; none where there
    is no item in common."""
    after, before = common_seeds(after), common_seeds(before)
    if not all(len(outcomes.table) for outcomes in (*after, *before)):
        return []
    blocks = [paired(*pair) for pair in zip(after, before, strict=True)]
    return blocks if all(block.size for block in blocks) else []


def ratio(after: Outcomes, before: Outcomes) -> Interval | None:
    """Perplexity after over before (their tables hold logarithms): above 1 is worse. The geometric mean over seeds."""
    block = paired(after, before)
    if not block.size:
        return None
    found = value_interval([block])
    low, high = (None if end is None else float(np.exp(end)) for end in (found.low, found.high))
    return _of_untrained(replace(found, estimate=float(np.exp(found.estimate)), low=low, high=high), [after, before])


def _of_untrained(interval: Interval, evals: Sequence[Outcomes]) -> Interval:
    """An untrained model has no seeds: that it has one row is no shortcoming."""
    return interval if any(outcomes.seeds for outcomes in evals) else replace(interval, flag=None)
