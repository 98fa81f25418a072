"""What a model knew before and no longer does: general score of the base minus the tuned one, so positive is worse.

Accuracies and perplexities stay apart: points of the first are averaged over tasks (as in Biderman et al. 2024,
"LoRA Learns Less and Forgets Less", arXiv 2405.09673), the second are ratios, one a task.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from harness.analysis import effects
from harness.analysis.outcomes import NATS_OVER_BASE, Outcomes
from harness.analysis.section import Eval, Section
from harness.analysis.uncertainty import Interval

KEPT_COLUMNS = ["arm_id", "task", "metric", "seeds", "items", "kept", "lost", "won", "never"]
COLUMNS = [
    *("arm_id", "moment", "task", "role", "metric", "kind", "base"),
    *("score", "score_low", "score_high", "forgetting", "forgetting_low", "forgetting_high"),
]


def mean_forgetting(section: Section, arm: str, base: str) -> Interval | None:
    """Base minus tuned, in [-1, 1], mean over the general tasks in which higher is better, paired by item."""
    return negated(section.change(arm, base, section.evals("general")))


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
    evals = section.test_evals
    for arm in section.arms.to_dict("records"):
        base = section.base_of(arm)
        for eval_id, eval_ in evals.items():
            rows += _task_rows(section, arm["arm_id"], base, eval_id, eval_)
    return pd.DataFrame(rows, columns=COLUMNS)


def kept_and_lost(section: Section, role: str) -> pd.DataFrame:
    """A row a tuned arm and test eval of a role in which items are right or wrong (``KEPT_COLUMNS``): shares of 1, over
    items and seeds, of what base and tuned model both got right (``kept``), the base alone (``lost``), the tuned one
    alone (``won``), and neither (``never``).

    A mean hides that as much was lost as won. Only where the items of both were kept.
    """
    rows = []
    for arm in section.arms[section.arms["method"] != "base"].to_dict("records"):
        base = section.base_of(arm)
        for eval_id, eval_ in section.test_evals.items():
            after, before = section.of(arm["arm_id"], [eval_id]), section.of(base, [eval_id]) if base else []
            if eval_.role == role and eval_.higher_is_better and after and before:
                rows += _kept(arm["arm_id"], eval_, after[0], before[0])
    return pd.DataFrame(rows, columns=KEPT_COLUMNS)


def negated(interval: Interval | None) -> Interval | None:
    """The interval of the difference taken the other way round."""
    if interval is None:
        return None
    low, high = (None if end is None else 0.0 - end for end in (interval.high, interval.low))
    return replace(interval, estimate=0.0 - interval.estimate, low=low, high=high)


def _kept(arm: str, eval_: Eval, after: Outcomes, before: Outcomes) -> list[list[object]]:
    if not (after.by_item and before.by_item and after.table.shape[1] == before.table.shape[1]):
        return []
    known = ~(np.isnan(after.table) | np.isnan(before.table))
    now, then = after.table[known] > 0.5, np.broadcast_to(before.table, after.table.shape)[known] > 0.5
    if not known.any():
        return []
    shares = [float(which.mean()) for which in (then & now, then & ~now, ~then & now, ~then & ~now)]
    return [[arm, eval_.task, eval_.metric, len(after.table), after.table.shape[1], *shares]]


def _task_rows(section: Section, arm: str, base: str | None, eval_id: str, eval_: Eval) -> list[list[object]]:
    after = section.of(arm, [eval_id])
    if not after:
        return []
    before = section.of_base(base, eval_id)
    kind, base_level, lost = "points" if eval_.higher_is_better else "ratio", None, None
    if before:
        base_level = _level(section, base, eval_id, eval_) if base else None
        if base and eval_.higher_is_better:
            lost = negated(section.change(arm, base, [eval_id]))
        else:
            lost = effects.ratio(after[0], before[0])
    own = _level(section, arm, eval_id, eval_)
    about = [arm, section.moments[arm], eval_.task, eval_.role, eval_.metric, kind]
    return [[*about, base_level.estimate if base_level else None, *ends(own), *ends(lost)]]


def _level(section: Section, arm: str, eval_id: str, eval_: Eval) -> Interval | None:
    """An arm's score, or its perplexity; None where a rise over the base is all that is known of it."""
    if eval_.higher_is_better:
        return section.score(arm, [eval_id])
    outcomes = section.of(arm, [eval_id])
    rise = eval_.metric == NATS_OVER_BASE or not outcomes
    return None if rise else Interval(effects.perplexity(outcomes[0]))


def ends(interval: Interval | None) -> tuple[float | None, float | None, float | None]:
    """Estimate, low and high."""
    return (interval.estimate, interval.low, interval.high) if interval else (None, None, None)
