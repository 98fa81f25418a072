"""What each kernel changed: arms that learn the same and are computed differently, one change a row.

A ladder begins with the plainest way to compute and goes on to those that turn more on. Each row stands against the one
before it that differs in the fewest settings. Speed varies while nothing changes: the windows of a run have quartiles,
and where those of two rows overlap, neither is told to be faster. What differs between runs of the same arm is not in
these quartiles.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from harness import identity
from harness.analysis.costs import alone, measured
from harness.analysis.differing import differing

# Values from the plainest on; of other settings, one that is not set comes before one that is.
PLAINEST_FIRST = {"attention": ("eager", "sdpa", "flash_attention_2"), "loss": ("whole", "chunked", "liger")}
COLUMNS = [
    *("arm_id", "ladder", "row", "than", "change", "memory_bytes", "memory_change_bytes", "memory_ratio"),
    *("tokens_per_second", "speed_low", "speed_high", "speed_change", "speed_ratio", "speed_differs"),
]

Execution = Mapping[str, Any]


def ladders(
    arms: pd.DataFrame,
    recipes: "pd.Series[Any]",
    executions: Mapping[str, Execution],
    phases: pd.DataFrame,
) -> pd.DataFrame:
    """A row an arm (``COLUMNS``) of those that others share a recipe with, ladder by ladder, from the plainest on.

    ``arms`` has arm_id, execution_id and label; ``recipes`` the arms' recipes by their id, ``executions`` every setting
    by the execution's id; ``phases`` is the reader's. ``row`` counts within a ladder and ``than`` is the row that a row
    is held against; its changes are differences and ratios to that one, missing where one of the two was not measured.
    """
    costs = measured(phases).join(_spread(phases))
    trained = arms[arms["method"] != "base"]
    known = {
        arm: (executions[execution], str(label))
        for arm, execution, label in trained[["arm_id", "execution_id", "label"]].itertuples(index=False)
    }
    alike: dict[str, list[str]] = {}
    for arm in known:
        alike.setdefault(identity.arm_id(recipes[arm], {}), []).append(arm)
    rows: list[dict[str, Any]] = []
    for ladder, group in alike.items():
        climbed = sorted(group, key=lambda arm: (_turned_on(known[arm][0]), known[arm][1]))
        if len(climbed) > 1:
            rows += _ladder(ladder, climbed, {arm: known[arm][0] for arm in climbed}, costs)
    return pd.DataFrame(rows, columns=COLUMNS)


def _ladder(
    ladder: str, climbed: list[str], executions: Mapping[str, Execution], costs: pd.DataFrame
) -> Iterator[dict[str, Any]]:
    numbers = {arm: number for number, arm in enumerate(climbed, 1)}
    for arm in climbed:
        below = climbed[: numbers[arm] - 1]
        known = [other for other in below if other in costs.index] or below
        than = min(reversed(known), key=lambda other: len(_changed(executions[other], executions[arm])), default=None)
        row = {"arm_id": arm, "ladder": ladder, "row": numbers[arm], "than": than and numbers[than]}
        row["change"] = "; ".join(_changed(executions[than], executions[arm])) if than else None
        yield row | _differences(costs, arm, than)


def _differences(costs: pd.DataFrame, arm: str, than: str | None) -> dict[str, Any]:
    if arm not in costs.index:
        return {}
    own = costs.loc[arm]
    found = {name: own[name] for name in ("memory_bytes", "tokens_per_second", "speed_low", "speed_high")}
    if than not in costs.index:
        return found
    other = costs.loc[than]
    return found | {
        "memory_change_bytes": own["memory_bytes"] - other["memory_bytes"],
        "memory_ratio": own["memory_bytes"] / other["memory_bytes"],
        "speed_change": own["tokens_per_second"] - other["tokens_per_second"],
        "speed_ratio": own["tokens_per_second"] / other["tokens_per_second"],
        "speed_differs": _apart(own, other),
    }


def _apart(own: "pd.Series[Any]", other: "pd.Series[Any]") -> bool | None:
    """Do the quartiles of two rows' speeds leave a gap? None where one has none."""
    ends = [row[name] for row in (own, other) for name in ("speed_low", "speed_high")]
    if any(pd.isna(end) for end in ends):
        return None
    return bool(own["speed_low"] > other["speed_high"] or own["speed_high"] < other["speed_low"])


def _spread(phases: pd.DataFrame) -> pd.DataFrame:
    """Indexed by arm: the lowest first and the highest third quartile of its windows' speeds, over its runs."""
    own = alone(phases[phases["latest"]])
    by_arm = own[own["phase"] == "train"].groupby("arm_id")
    low, high = by_arm["tokens_per_second_p25"].min(), by_arm["tokens_per_second_p75"].max()
    return pd.DataFrame({"speed_low": low, "speed_high": high}).astype(float)


def _turned_on(execution: Execution) -> int:
    """How far a way to compute is from the plainest: one for each step of each setting."""
    return sum(
        PLAINEST_FIRST[name].index(value) if value in PLAINEST_FIRST.get(name, ()) else bool(value)
        for name, value in execution.items()
    )


def _changed(before: Execution, after: Execution) -> list[str]:
    """Each setting that is not the same, in words; of patches the names, as long as these differ."""
    said = [_said(name, old, new) for name, old, new in differing(_named(before), _named(after))]
    return said or ["the patch's source"]


def _said(name: str, old: Any, new: Any) -> str:
    if isinstance(old, bool) or isinstance(new, bool):
        return name if new else f"no {name}"
    return f"{name} {old or 'none'} -> {new or 'none'}"


def _named(execution: Execution) -> dict[str, Any]:
    patch = execution.get("patch")
    return {**execution, "patch": patch["name"] if patch else None}
