"""Forgetting at matched gain: a method that learned less has forgotten less, so the two are read against each other.

Every learning rate of an arm is a point, its seeds' mean gain and mean forgetting; the points up to the rate that gains
most, joined by straight lines, are what the arm forgets for what it gains (as the curves of Biderman et al. 2024,
"LoRA Learns Less and Forgets Less", arXiv 2405.09673, section 4). Rates beyond that one gain less and forget more: no
one would choose them, and they are left out. Two arms are compared by the mean distance of their lines over the gains
that both reach.

How far that mean could be off is the delta method's: the runs' covariance of gain and forgetting within a rate, pooled
over both arms' rates, carried through by the derivative of the mean by each point. It speaks of other seeds, not of
other items, and takes the two arms' seeds as unrelated, which errs on the side of wide.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from harness.analysis.uncertainty import UPPER_TAIL, Interval

GAINS = 65  # points at which the lines are compared: a trapezoid over straight lines needs no more
STEP = 1e-4  # of the numerical derivative, a hundredth of a point


@dataclass(frozen=True)
class Matched:
    """Forgetting of the first arm minus the second's at the same gain; ``interval`` is None where no gain is common.

    ``first_gains`` and ``second_gains`` are the lowest and highest mean gain of the rates that count.
    """

    interval: Interval | None
    first_gains: tuple[float, float]
    second_gains: tuple[float, float]

    @property
    def common_gains(self) -> tuple[float, float] | None:
        """The gains that both reach, from and to; None where there are none."""
        low = max(self.first_gains[0], self.second_gains[0])
        high = min(self.first_gains[1], self.second_gains[1])
        return (low, high) if low <= high else None


@dataclass(frozen=True)
class _Curve:
    points: NDArray[np.float64]  # (rates, 2): mean gain and forgetting, by gain
    runs: NDArray[np.float64]  # (rates,)
    squares: NDArray[np.float64]  # (2, 2): sums of squares and products within rates
    freedom: int


def run_points(scores: pd.DataFrame, target: Sequence[str], general: Sequence[str]) -> pd.DataFrame:
    """A row a tuned run that was scored on all of the evals: arm_id, learning_rate, seed, gain, forgetting, in [-1, 1].

    Takes rows of the reader's ``scores``, at all rates, and the ids of target and general evals in which higher is
    better.
    """
    run = ["arm_id", "learning_rate", "seed"]
    tuned = scores[(scores["moment"] == "tuned") & scores["eval_id"].isin([*target, *general])]
    tuned = tuned.dropna(subset=["value", "base_value"]).drop_duplicates([*run, "eval_id"])
    moved = tuned.assign(moved=tuned["value"] - tuned["base_value"])
    wide = moved.pivot(index=run, columns="eval_id", values="moved")
    wide = wide.reindex(columns=[*target, *general]).dropna()
    points = {"gain": wide[list(target)].mean(axis=1), "forgetting": -wide[list(general)].mean(axis=1)}
    return pd.DataFrame(points).reset_index()


def forgetting_at_matched_gain(first: pd.DataFrame, second: pd.DataFrame) -> Matched | None:
    """The comparison of two arms' ``run_points``; None where one has no run.

    With one seed at every rate there is a difference and no interval.
    """
    if first.empty or second.empty:
        return None
    curves = [_curve(first), _curve(second)]
    found = Matched(None, *((float(c.points[0, 0]), float(c.points[-1, 0])) for c in curves))
    if found.common_gains is None:
        return found
    return Matched(_interval(curves), found.first_gains, found.second_gains)


def _curve(runs: pd.DataFrame) -> _Curve:
    rates, of_rate, counts = np.unique(runs["learning_rate"].to_numpy(), return_inverse=True, return_counts=True)
    values = runs[["gain", "forgetting"]].to_numpy(dtype=np.float64)
    means = np.zeros((len(rates), 2))
    np.add.at(means, of_rate, values)
    means /= counts[:, None]
    within = values - means[of_rate]
    rising = np.arange(len(rates)) <= means[:, 0].argmax()
    order = np.argsort(means[rising, 0], kind="stable")
    return _Curve(
        points=means[rising][order],
        runs=counts[rising][order].astype(np.float64),
        squares=within.T @ within,
        freedom=len(runs) - len(rates),
    )


def _interval(curves: list[_Curve]) -> Interval:
    distance = _distance(*(curve.points for curve in curves))
    freedom, seeds = sum(curve.freedom for curve in curves), int(max(curve.runs.max() for curve in curves))
    if not freedom:
        return Interval(distance, seeds=seeds)
    covariance = (curves[0].squares + curves[1].squares) / freedom
    variance = _variance(curves, 0, covariance) + _variance(curves, 1, covariance)
    if variance <= 0:
        return Interval(distance, distance, distance, seeds=seeds)
    error = float(np.sqrt(variance))
    half = float(stdtrit(freedom, UPPER_TAIL)) * error
    p_value = float(2 * stdtr(freedom, -abs(distance) / error))
    return Interval(distance, distance - half, distance + half, p_value, seeds)


def _variance(curves: list[_Curve], side: int, covariance: NDArray[np.float64]) -> float:
    """What the noise of one arm's points adds to the variance of the distance."""
    total = 0.0
    for rate in range(len(curves[side].points)):
        slope = np.array([_moved(curves, side, rate, axis) for axis in (0, 1)])
        total += float(slope @ covariance @ slope) / float(curves[side].runs[rate])
    return total


def _moved(curves: list[_Curve], side: int, rate: int, axis: int) -> float:
    """The derivative of the distance by one coordinate of one point."""
    ends = []
    for step in (STEP, -STEP):
        points = [curve.points.copy() for curve in curves]
        points[side][rate, axis] += step
        ends.append(_distance(*points))
    return (ends[0] - ends[1]) / (2 * STEP)


def _distance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """The mean of the first's forgetting minus the second's over the gains that both reach."""
    low, high = max(first[:, 0].min(), second[:, 0].min()), min(first[:, 0].max(), second[:, 0].max())
    gains = np.linspace(low, high, GAINS)
    lines = (np.interp(gains, *points[np.argsort(points[:, 0], kind="stable")].T) for points in (first, second))
    return float(np.subtract(*lines).mean())
