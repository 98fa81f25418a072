"""What a model knew before and no longer does: general score of the base minus the tuned one, so positive is worse.

Accuracies and perplexities stay apart: points of the first are averaged over tasks (as in Biderman et al. 2024,
"LoRA Learns Less and Forgets Less", arXiv 2405.09673), the second are ratios, one a task.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from harness.analysis import effects
from harness.analysis.outcomes import NATS_OVER_BASE, Outcomes
from harness.analysis.section import Section
from harness.analysis.uncertainty import Interval

COLUMNS = [
    *("arm_id", "moment", "task", "role", "metric", "kind", "base"),
    *("score", "score_low", "score_high", "forgetting", "forgetting_low", "forgetting_high"),
]


def mean_forgetting(section: Section, arm: str, base: str) -> Interval | None:
    """Base minus tuned, in [-1, 1], mean over the general tasks in which higher is better, paired by item."""
    evals = section.evals("general")
    after, before = section.of(arm, evals), section.of(base, evals)
    return negated(effects.change(after, before)) if after and before else None


def perplexity_ratio(section: Section, arm: str, base: str | None) -> Interval | None:
    """Tuned over base, the geometric mean over the general tasks in which lower is better; 1 is unchanged."""
    found = [
        effects.ratio(after, before)
        for eval_id in section.evals("general", higher_is_better=False)
        for after in section.of(arm, [eval_id])
        for before in section.of_base(base, eval_id)
    ]
    if not found or None in found:
        return None
    if len(found) == 1:
        return found[0]
    mean = float(np.exp(np.mean([np.log(one.estimate) for one in found if one])))
    return Interval(mean)  # of several texts' ratios no interval is claimed


def by_task(section: Section) -> pd.DataFrame:
    """A row an arm and test eval: its score, the base's, and the forgetting from it (``COLUMNS``).

    ``kind`` is points (base minus tuned, positive is worse) or ratio (tuned over base, above 1 is worse).
    """
    rows = []
    scores = section.scores[section.scores["split"] == "test"]
    evals = scores.drop_duplicates("eval_id").set_index("eval_id")
    for _, arm in section.arms.iterrows():
        base = section.base_of(arm)
        for eval_id, eval_ in evals.iterrows():
            rows += _task_rows(section, arm["arm_id"], base, str(eval_id), eval_)
    return pd.DataFrame(rows, columns=COLUMNS)


def negated(interval: Interval | None) -> Interval | None:
    """The interval of the difference taken the other way round."""
    if interval is None:
        return None
    low, high = (None if end is None else 0.0 - end for end in (interval.high, interval.low))
    return replace(interval, estimate=0.0 - interval.estimate, low=low, high=high)


def _task_rows(section: Section, arm: str, base: str | None, eval_id: str, eval_: pd.Series) -> list[list[object]]:
    after = section.of(arm, [eval_id])
    if not after:
        return []
    before = section.of_base(base, eval_id)
    points = bool(eval_["higher_is_better"])
    lost: Interval | None = None
    if before:
        lost = negated(effects.change(after, before)) if points else effects.ratio(after[0], before[0])
    score, before_score = (_score(outcomes, points, eval_["metric"]) for outcomes in (after, before))
    base_value = before_score.estimate if before_score else None
    about = [arm, section.moments[arm], eval_["task"], eval_["role"], eval_["metric"], "points" if points else "ratio"]
    return [[*about, base_value, *ends(score), *ends(lost)]]


def _score(outcomes: list[Outcomes], points: bool, metric: str) -> Interval | None:
    """A score, or the perplexity; None where there is none, or a rise over the base is all that is known of it."""
    if points or not outcomes:
        return effects.score(outcomes)
    return None if metric == NATS_OVER_BASE else Interval(effects.perplexity(outcomes[0]))


def ends(interval: Interval | None) -> tuple[float | None, float | None, float | None]:
    """Estimate, low and high."""
    return (interval.estimate, interval.low, interval.high) if interval else (None, None, None)
