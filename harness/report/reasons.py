"""A recommendation in sentences, for the terminal and for the board alike.

Limits are called what the reader set them by: ``OPTIONS`` on the command line, ``LIMITS`` elsewhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from harness.analysis.recommend import AT_MOST, WAYS, Check, Choice, Recommendation, far_below
from harness.report import words

OPTIONS = {
    "needed_bytes": "--vram",
    "forgetting": "--max-forgetting",
    "whole_tuning_seconds": "--max-hours",
    "gain": "--min-gain",
}
LIMITS = {
    "memory_bytes": "the memory limit",
    "forgetting": "the limit on forgetting",
    "whole_tuning_seconds": "the limit on tuning time",
    "gain": "the least gain",
}
NAMES = {
    **{"memory_bytes": "memory", "needed_bytes": "memory"},
    **{"forgetting": "forgetting", "whole_tuning_seconds": "tuning time", "gain": "gain"},
}
LEAST = {
    "memory_bytes": "takes the least memory",
    "forgetting": "forgets the least, by the estimates",
    "whole_tuning_seconds": "takes the least time to tune",
    "target": "scores highest, by the estimates",
}
ORDER = (
    "Best first by target score: arms that share a letter cannot be told apart (paired tests, Holm-corrected), and a "
    "place is one more than the number of arms supported as better."
)
TUNING = "tuning: all rates and seeds, with the SFT stage where there is one."
LEGEND = (
    ORDER,
    "memory: peak in training, as the report measures it and at the batch that was run; a GPU's own context comes on "
    "top.",
    TUNING,
)
LARGE, BYTES_A_PARAMETER = 8e9, 2  # a model that people mean by a large one, and its weights at 16 bits


def name_of(choice: Choice) -> str:
    """The arm and its base, on one line."""
    return words.text(f"{choice.row['name']} · {choice.row['base']}")


def reasons(found: Recommendation, called: Mapping[str, str]) -> list[str]:
    """Why the arms that meet the limits stand as they do; not empty."""
    first = [choice for choice in found.choices if choice.place == 1]
    if len(first) == 1:
        lines = [f"{name_of(first[0])} is supported as the best of those within the limits."]
    elif first:
        lines = [f"{len(first)} arms share the first place: the data do not tell them apart on the target."]
    else:
        lines = ["None of these has a target score: they are within the limits, and in no order."]
    return [*lines, *_uncertain(found, called), *beaten(found).values()]


def beaten(found: Recommendation) -> dict[str, str]:
    """For each arm within the limits that another there beats, by its id, a sentence that says so."""
    names = {choice.row["arm_id"]: name_of(choice) for choice in found.choices}
    lines = {}
    for choice in found.choices:
        if choice.dominated_by:
            by = " and ".join(names[arm] for arm in choice.dominated_by)
            said = f"{name_of(choice)} is beaten by {by}: as good in scores, memory and tuning time, better in one."
            lines[choice.row["arm_id"]] = said
    return lines


def why(choice: Choice, found: Recommendation, by: str) -> str:
    """Why ``recommend.preferred`` takes this one of those within the limits, when ``by`` decides between equals."""
    first = [one for one in found.choices if one.place == 1]
    if len(found.choices) == 1:
        return "No other arm is within the limits."
    if len(first) == 1:
        return f"Of the {len(found.choices)} arms within the limits it is supported as the best on the target."
    if not first:
        return f"No arm within the limits has a target score; of the {len(found.choices)} it {LEAST[by]}."
    apart = f"The target scores of {len(first)} of the {len(found.choices)} arms within the limits can't be told apart"
    known = choice.row[by] is not None
    return f"{apart}; of these it {LEAST[by]}." if known else f"{apart}; what should decide between them is not known."


def forgets(row: Mapping[str, Any]) -> str:
    """What an arm forgot on the whole, and whether that is more than nothing."""
    if row["forgetting"] is None:
        return "What it forgets is not known: it was scored on no general task that its base was scored on too."
    lost = f"{words.with_interval(row, 'forgetting', signed=True)} points over the general tasks"
    if row["forgetting_low"] is None:
        return f"It forgets {lost}; nothing tells how sure that is."
    if row["forgetting_low"] > 0:
        return f"It forgets {lost}: more than nothing, for certain."
    if row["forgetting_high"] < 0:
        return f"It forgets nothing: {lost}, so it knows more than before."
    return f"It forgets {lost}: the data do not tell that from nothing."


def perplexity(row: Mapping[str, Any]) -> str | None:
    """How much worse than its base an arm predicts general text; None where that is not known."""
    if row["perplexity_ratio"] is None:
        return None
    return f"Perplexity on general text is {words.times_with_interval(row, 'perplexity_ratio')} the base's."


def binding(found: Recommendation, called: Mapping[str, str]) -> list[str]:
    """Where no arm meets the limits: which of them stands in the way."""
    if not found.others:
        return ["No trained arm to choose from."]
    lines = [f"No arm meets the limits, of {len(found.others)}."]
    for quantity, count in sorted(found.binding.items(), key=lambda item: -item[1]):
        broken = [c for choice in found.others for c in choice.checks if c.quantity == quantity and c.state == "broken"]
        nearest = _nearest(quantity, broken)
        lines.append(f"{called[quantity]} alone lifted would let {count} through{nearest}.")
    if not any(found.binding.values()):
        lines.append("No single limit binds: two or more stand in the way of every arm.")
    return lines


def standing(choice: Choice, found: Recommendation) -> str:
    """What there is to say of an arm within the limits beside its place: that it is beaten, or by how little it is
    within; empty where there is nothing."""
    near = [LIMITS[check.quantity] for check in choice.checks if check.state == "met by the estimate"]
    within = f"within {' and '.join(near)} by the estimate, not by the whole 95 % interval" if near else None
    return "; ".join(filter(None, (beaten(found).get(choice.row["arm_id"]), within)))


def unknown(found: Recommendation, called: Mapping[str, str]) -> list[str]:
    """What was not measured, by quantity: such an arm is not said to meet a limit."""
    lines = []
    for quantity in found.binding:
        arms = [
            name_of(choice)
            for choice in found.others
            for c in choice.checks
            if (c.quantity, c.state) == (quantity, "unknown")
        ]
        if arms:
            lines.append(f"not measured, so not counted as within {called[quantity]}: {', '.join(arms)}")
    return lines


def missed(choice: Choice) -> str:
    """What an arm outside the limits misses, and by how much."""
    return "; ".join(map(_missed, choice.missed))


def small_models(summary: pd.DataFrame, limit_bytes: float) -> str | None:
    """That no memory here comes near the limit, so that it says nothing of a large model; None where one does.

    ``summary`` as ``recommend.far_below`` takes it.
    """
    if not far_below(summary, limit_bytes):
        return None
    parameters, most = summary["base_parameters"].max(), summary["memory_bytes"].max()
    there = "" if pd.isna(parameters) else f" on bases of at most {words.count(float(parameters))} parameters"
    return (
        f"These arms take at most {words.size(float(most))}{there}, far less than the limit: they say nothing of what "
        f"fits when an {words.count(LARGE).replace('.0', '')} model is tuned, whose 16-bit weights alone take "
        f"{words.size(LARGE * BYTES_A_PARAMETER)}. Run the base that you mean to tune, or one of its shape."
    )


def _uncertain(found: Recommendation, called: Mapping[str, str]) -> list[str]:
    """Which arms keep which limit by their estimates alone."""
    lines = []
    for quantity in WAYS:
        near = [
            name_of(choice)
            for choice in found.choices
            for check in choice.checks
            if check.quantity == quantity and check.state == "met by the estimate"
        ]
        if near:
            lines.append(
                f"within {called[quantity]} by the estimate, not by the whole 95 % interval: {', '.join(near)}."
            )
    return lines


def _nearest(quantity: str, broken: Sequence[Check]) -> str:
    values = [check.value for check in broken if check.value is not None]
    if not values:
        return "; no arm is known to break it"
    nearest = min(values) if WAYS[quantity] == AT_MOST else max(values)
    return f"; the nearest that breaks it has {_shown(quantity, nearest, signed=True)}"


def _missed(check: Check) -> str:
    if check.value is None:
        return f"{NAMES[check.quantity]}: not measured"
    off = _shown(check.quantity, abs(check.value - check.limit))
    way = "too much" if WAYS[check.quantity] == AT_MOST else "too little"
    return f"{NAMES[check.quantity]}: {_shown(check.quantity, check.value, signed=True)}, {off} {way}"


def _shown(quantity: str, value: float, signed: bool = False) -> str:
    if quantity in ("memory_bytes", "needed_bytes"):
        return words.size(value)
    if quantity == "whole_tuning_seconds":
        return words.seconds(value)
    return f"{words.points(value, signed=signed)} points"
