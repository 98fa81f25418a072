"""Task scores and forgetting, arm by arm, and over the whole matrix where a shift hides in every cell's noise."""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.special import ndtr

from harness.analysis.corrections import holm
from harness.analysis.gate.answers import Worse
from harness.analysis.gate.finding import Finding, Unit
from harness.analysis.gate.pooled import effect_finding, interval_over_runs, matrix_finding
from harness.analysis.gate.rules import Effect
from harness.analysis.outcomes import UNTRAINED
from harness.analysis.spread import spread_of
from harness.analysis.uncertainty import Interval, difference_intervals, pooled_seed_variance

MAD_TO_SD = 1.4826  # of a normal distribution
ENOUGH_CELLS = 8  # to tell one cell's noise from the others' spread


def judge_scores(worse: Sequence[Worse], rule: Effect) -> Iterator[Finding]:
    """Each arm's score in each test eval."""
    several = [n for n, one in enumerate(worse) if one.points and one.block.size > 1]
    found = dict(zip(several, _differences([[worse[n]] for n in several]), strict=True))
    noise = _noise(worse)
    intervals = [found[n] if n in found else _of_scores(one, noise) for n, one in enumerate(worse)]
    for one, interval, p in zip(worse, intervals, _corrected(intervals), strict=True):
        detail = one.task if one.moment in ("tuned", *UNTRAINED) else f"{one.task}, {one.moment}"
        unit: Unit = "points" if one.points else "share"
        yield effect_finding("score", one.arm, detail, interval, rule, p, unit, -1)


def judge_forgetting(worse: Sequence[Worse], rule: Effect) -> Iterator[Finding]:
    """Each trained arm's mean over the general tasks in which higher is better, less what the base itself changed."""
    general = [one for one in worse if one.role == "general" and one.points]
    base = {one.task: float(one.block.mean()) for one in general if one.moment == "base"}
    arms: dict[str, list[Worse]] = {}
    for one in general:
        if one.moment == "tuned":
            arms.setdefault(one.arm, []).append(one.minus(base.get(one.task, 0.0)))
    intervals = _differences(list(arms.values()))
    for arm, interval, p in zip(arms, intervals, _corrected(intervals), strict=True):
        yield effect_finding("forgetting", arm, "", interval, rule, p, "points", 1)


def judge_matrix_score(worse: Sequence[Worse], rule: Effect) -> Iterator[Finding]:
    """Every trained run's mean over its test tasks, over the whole matrix."""
    runs: dict[tuple[str, int], list[float]] = {}
    for one in worse:
        if one.points and one.moment == "tuned":
            for row, mean in enumerate(one.block.mean(axis=1)):
                runs.setdefault((one.arm, row), []).append(float(mean))
    means = np.array([np.mean(values) for values in runs.values()])
    yield from matrix_finding("matrix_score", means, rule, "points", -1)


def _differences(arms: Sequence[Sequence[Worse]]) -> list[Interval]:
    """The interval of each arm's mean over some evals; how much seeds vary is judged from all of them together."""
    spreads = [spread_of([one.block for one in evals]) for evals in arms]
    freedom = sum({evals[0].arm: evals[0].block.shape[0] - 1 for evals in arms}.values())
    found = difference_intervals(spreads, pooled_seed_variance(spreads, freedom))
    return [_of_means(evals) if one.low is None else one for evals, one in zip(arms, found, strict=True)]


def _of_means(evals: Sequence[Worse]) -> Interval:
    return interval_over_runs(np.mean([one.block.mean(axis=1, keepdims=True) for one in evals], axis=0))


def _of_scores(one: Worse, noise: float | None) -> Interval:
    """The interval of a score of which the items are not kept, or are no answers that are right or wrong."""
    if one.block.shape[0] > 1:
        return interval_over_runs(one.block)
    worse = float(one.block[0, 0])
    if one.moment in UNTRAINED and not one.points:  # nothing of chance is in an untrained model's perplexity
        return Interval(worse, worse, worse, 0.0 if worse else 1.0)
    if one.points and noise is None and one.n_items:
        noise = (0.5 / one.n_items) ** 0.5
    return Interval(worse) if noise is None else _normal(worse, noise)


def _noise(worse: Sequence[Worse]) -> float | None:
    """The spread of single scores about no change over the matrix's cells, where those are enough; else a cell's noise
    is taken to be what drawing its items anew on either side would give, more than a paired comparison has.

    A shift that all cells share counts as noise of each: it is the matrix' verdict that tells it.
    """
    single = np.array([float(one.block[0, 0]) for one in worse if one.points and one.block.size == 1])
    if len(single) < ENOUGH_CELLS:
        return None
    return MAD_TO_SD * float(np.median(np.abs(single)))


def _normal(worse: float, sd: float) -> Interval:
    half = 1.96 * sd
    p = float(2 * ndtr(-abs(worse) / sd)) if sd else float(worse == 0)
    return Interval(worse, worse - half, worse + half, p, seeds=1)


def _corrected(intervals: Sequence[Interval]) -> list[float | None]:
    p_values = holm([np.nan if one.p_value is None else one.p_value for one in intervals])
    return [None if np.isnan(p) else float(p) for p in p_values]
