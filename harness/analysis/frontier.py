"""The Pareto set of a section's arms in any of the summary's quantities, among the arms of one base."""

from collections.abc import Sequence

import pandas as pd

from harness.analysis.pareto import pareto_set
from harness.analysis.ranking import compare
from harness.analysis.section import Section

ROLES = {
    "target": "target",
    "gain": "target",
    "forgetting": "general",
    "preference": "preference",
    "safety": "safety",
}
LOWER_IS_BETTER = ("memory_bytes", "whole_tuning_seconds", "trainable_share")
HIGHER_IS_BETTER = ("tokens_per_second", "relative_speed")
JUDGED = (*ROLES, *LOWER_IS_BETTER, *HIGHER_IS_BETTER)


def frontier(section: Section, arms: pd.DataFrame, quantities: Sequence[str]) -> pd.DataFrame:
    """Indexed by arm_id: ``in_set``, and ``dominated_by``, as ``pareto.pareto_set`` finds them in these quantities.

    ``arms`` are rows of ``summary.summarise``; those of one base (by its digest) are compared with each other.
    Scores are compared item by item, costs by their figures. Raises KeyError for a quantity that is not in ``JUDGED``.
    """
    unknown = [name for name in quantities if name not in JUDGED]
    if unknown:
        raise KeyError(unknown[0])
    digests = arms["arm_id"].map(section.arms.set_index("arm_id")["base_digest"])
    found = [_of_base(section, own, quantities) for _, own in arms.groupby(digests, sort=False)]
    return pd.concat(found) if found else pareto_set([], {}, {})


def _of_base(section: Section, arms: pd.DataFrame, quantities: Sequence[str]) -> pd.DataFrame:
    ids = list(arms["arm_id"])
    roles = dict.fromkeys(ROLES[name] for name in quantities if name in ROLES)
    pairs = {role: compare(section.answers(ids, role)) for role in roles}
    figures = arms.set_index("arm_id")
    costs = {
        name: (figures[name] if name in LOWER_IS_BETTER else 1 / figures[name]).astype(float).to_dict()
        for name in quantities
        if name not in ROLES
    }
    return pareto_set(ids, pairs, costs)
