"""Task scores and forgetting, arm by arm, and over the whole matrix where a shift hides in every cell's noise."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from harness.analysis.gate.answers import Scored, Scores, Unpaired
from harness.analysis.gate.finding import MATRIX, Finding, Unit
from harness.analysis.gate.pooled import (
    Intervals,
    corrected,
    effect_finding,
    interval_of_one,
    intervals_over_runs,
    matrix_finding,
)
from harness.analysis.gate.rules import Effect
from harness.analysis.outcomes import UNTRAINED
from harness.analysis.spread import Spread, spread_of
from harness.analysis.uncertainty import Interval, difference_intervals, pooled_seed_variance

MAD_TO_SD = 1.4826  # of a normal distribution
ENOUGH_CELLS = 8  # to tell one cell's noise from the others' spread
NO_BASE = "the bare base is not scored on both sides"


def judge_scores(scores: Scores, rule: Effect) -> Iterator[Finding]:
    """Each arm's score in each test eval."""
    judged = corrected(_of_each(scores.paired), rule.level)
    for one, worse in zip(scores.paired, judged, strict=True):
        yield effect_finding("score", one.arm, _detail(one), worse, rule, _unit(one), -1)
    for lost in scores.unpaired:
        yield Finding("score", lost.arm, lost.verdict, _detail(lost), _unit(lost), why=lost.why)


def judge_forgetting(scores: Scores, rule: Effect) -> Iterator[Finding]:
    """Each trained arm's mean over the general tasks in which higher is better, less what its bare base changed."""
    general = [one for one in scores.paired if one.role == "general" and one.points]
    base = {_of_base(one): float(one.block.mean()) for one in general if one.moment == "base" and one.bare}
    arms: dict[str, list[Scored]] = {}
    for one in general:
        if one.moment == "tuned" and _of_base(one) in base:
            arms.setdefault(one.arm, []).append(one.minus(base[_of_base(one)]))
        elif one.moment == "tuned":
            yield Finding("forgetting", one.arm, "not measured", one.task, "points", why=NO_BASE)
    together = [_same_recipes(evals) for evals in arms.values()]
    for arm, worse in zip(arms, corrected(_of_means(together), rule.level), strict=True):
        yield effect_finding("forgetting", arm, "", worse, rule, "points", 1)
    for lost in scores.unpaired:
        if lost.role == "general" and lost.points and lost.moment == "tuned":
            yield Finding("forgetting", lost.arm, lost.verdict, lost.task, "points", why=lost.why)


def judge_matrix_score(scores: Scores, rule: Effect) -> Iterator[Finding]:
    """Every trained run's mean over its test tasks, over the whole matrix."""
    rows = [
        (chain, recipe, float(mean))
        for one in scores.paired
        if one.points and one.moment == "tuned"
        for chain, recipe, mean in zip(one.chains, one.recipes, one.block.mean(axis=1), strict=True)
    ]
    told = pd.DataFrame(rows, columns=["chain", "recipe", "worse"])
    runs = told.groupby(["chain", "recipe"], sort=False)["worse"].mean()
    yield from matrix_finding("matrix_score", runs, rule, "points", -1)
    tuned = [one for one in scores.unpaired if one.points and one.moment == "tuned"]
    for verdict, count in sum((Counter({one.verdict: one.runs}) for one in tuned), Counter()).items():
        yield Finding("matrix_score", MATRIX, verdict, f"{count} scores", "points", why="see score")


def _detail(one: Scored | Unpaired) -> str:
    return one.task if one.moment in ("tuned", *UNTRAINED) else f"{one.task}, {one.moment}"


def _unit(one: Scored | Unpaired) -> Unit:
    return "points" if one.points else "share"


def _of_base(one: Scored) -> tuple[str, str, str]:
    return one.base_digest, one.eval_id, one.metric


def _same_recipes(evals: Sequence[Scored]) -> list[Scored]:
    """An arm's evals at the seeds that all of them have; the first alone where there is none."""
    common = [recipe for recipe in evals[0].recipes if all(recipe in one.recipes for one in evals)]
    return [one.of(common) for one in evals] if common else list(evals[:1])


def _of_each(scores: Sequence[Scored]) -> Intervals:
    """Points and logarithms apart, and apart what is one number from what varies over seeds or items."""
    kinds: dict[tuple[bool, bool], list[int]] = {}
    for n, one in enumerate(scores):
        kinds.setdefault((one.points, one.block.size > 1), []).append(n)
    parts = [(numbers, _of_kind([scores[n] for n in numbers], *kind)) for kind, numbers in kinds.items()]

    def at(level: float) -> list[Interval]:
        found = {n: one for numbers, part in parts for n, one in zip(numbers, part(level), strict=True)}
        return [found[n] for n in range(len(scores))]

    return at


def _of_kind(scores: Sequence[Scored], points: bool, several: bool) -> Intervals:
    if not several:
        return _of_single(scores)
    if points:
        return _of_means([[one] for one in scores])
    return lambda level: intervals_over_runs([one.block for one in scores], level)


def _of_means(arms: Sequence[Sequence[Scored]]) -> Intervals:
    """The interval of each arm's mean over some evals; how much seeds vary is judged from all of them together."""
    spreads = [spread_of([one.block for one in evals]) for evals in arms]
    pooled = pooled_seed_variance(spreads, sum({evals[0].arm: evals[0].block.shape[0] - 1 for evals in arms}.values()))

    def at(level: float) -> list[Interval]:
        found = difference_intervals(spreads, pooled, level)
        for n, (evals, spread) in enumerate(zip(arms, spreads, strict=True)):
            if found[n].low is None:
                found[n] = _of_runs(evals, level)
            elif spread.mean == spread.variance == 0 and not (pooled and pooled.variance and spread.seeds > 1):
                found[n] = _of_no_change(spread, level)
        return found

    return at


def _of_no_change(spread: Spread, level: float) -> Interval:
    """No answer differs: exactly (Clopper and Pearson 1934), the share that would still be missed. Wilson's interval is
    half as wide again at a level corrected for many tests."""
    end = 1 - (level / 2) ** (1 / spread.effective_items)
    return Interval(0.0, -end, end, 1.0, spread.seeds, spread.items)


def _of_runs(evals: Sequence[Scored], level: float) -> Interval:
    means = np.mean([one.block.mean(axis=1, keepdims=True) for one in evals], axis=0)
    return intervals_over_runs([means], level)[0]


def _of_single(scores: Sequence[Scored]) -> Intervals:
    """Of scores in one seed without items: what a cell's noise is, the spread of all cells about no change says.

    Less than what drawing its items anew on either side would give is not believed: many scores that did not change at
    all say nothing of one that did. A shift that all cells share counts as noise of each: it is the matrix' verdict
    that tells it.
    """
    changes = np.array([float(one.block[0, 0]) for one in scores])
    spread = MAD_TO_SD * float(np.median(np.abs(changes))) if len(changes) >= ENOUGH_CELLS else 0.0
    return lambda level: [_of_change(one, spread, level) for one in scores]


def _of_change(one: Scored, spread: float, level: float) -> Interval:
    worse = float(one.block[0, 0])
    if one.moment in UNTRAINED and not one.points:  # nothing of chance is in an untrained model's perplexity
        return Interval(worse, worse, worse, 0.0 if worse else 1.0)
    sd = max(spread, (0.5 / one.n_items) ** 0.5 if one.points and one.n_items else 0.0)
    if not sd:
        return interval_of_one(worse)
    half = float(ndtri(1 - level / 2)) * sd
    return Interval(worse, worse - half, worse + half, float(2 * ndtr(-abs(worse) / sd)), seeds=1)
