"""A recommendation in words: the arms within limits, why, what is unknown, and which limit binds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.analysis.recommend import AT_MOST, WAYS, Check, Choice, Recommendation
from harness.report import words

RECOMMENDATION_VERSION = 1
NAMES = {"memory_bytes": "memory", "forgetting": "forgetting", "whole_tuning_seconds": "tuning time", "gain": "gain"}
OPTIONS = {
    "memory_bytes": "--vram",
    "forgetting": "--max-forgetting",
    "whole_tuning_seconds": "--max-hours",
    "gain": "--min-gain",
}
LEGEND = (
    "Best first by target score: arms that share a letter cannot be told apart (paired tests, Holm-corrected), and a "
    "place is one more than the number of arms supported as better.",
    "memory: peak in training, as the report measures it and at the batch that was run; a GPU's own context comes on "
    "top. tuning: all rates and seeds, with the SFT stage where there is one.",
)


@dataclass(frozen=True)
class Recommended:
    """The recommendation from one suite on one stack."""

    suite: str
    stack_id: str
    found: Recommendation


def as_json(several: Sequence[Recommended]) -> dict[str, Any]:
    """Every figure in base units (shares of 1, bytes, seconds); null for what was not measured."""
    sections = [
        {
            "suite": one.suite,
            "stack_id": one.stack_id,
            "arms": [_choice(choice) for choice in (*one.found.choices, *one.found.others)],
            "lifting_alone_lets_through": dict(one.found.binding),
        }
        for one in several
    ]
    return {"version": RECOMMENDATION_VERSION, "sections": sections}


def print_recommendation(recommended: Recommended, console: Console) -> None:
    """Print it. Texts from a database are printed as they are."""
    found = recommended.found
    console.print(Text(f"{words.text(recommended.suite)} · stack {recommended.stack_id[:12]}", style="bold"))
    if found.choices:
        console.print(_table(found.choices))
        for line in _reasons(found):
            console.print(Text(line))
    else:
        for line in _binding(found):
            console.print(Text(line))
    for line in _unknown(found):
        console.print(Text(line, style="yellow"))
    for line in LEGEND if found.choices else ():
        console.print(Text(line, style="dim"))


def _table(choices: Sequence[Choice]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for column in ("place", "arm", "tie", "target [95 %]", "gain", "forgets", "memory", "tuning"):
        text = column in ("arm", "tie")
        table.add_column(column, justify="left" if text else "right", no_wrap=not text)
    for choice in choices:
        row = choice.row
        table.add_row(
            Text(words.MISSING if choice.place is None else str(choice.place)),
            Text(_name(choice)),
            Text(choice.letters),
            Text(words.with_interval(row, "target")),
            Text(words.points(row["gain"], signed=True)),
            Text(words.points(row["forgetting"], signed=True)),
            Text(words.size(row["memory_bytes"])),
            Text(words.seconds(row["whole_tuning_seconds"])),
        )
    return table


def _reasons(found: Recommendation) -> list[str]:
    first = [choice for choice in found.choices if choice.place == 1]
    if len(first) == 1:
        lines = [f"{_name(first[0])} is supported as the best of those within the limits."]
    elif first:
        lines = [f"{len(first)} arms share the first place: the data do not tell them apart on the target."]
    else:
        lines = ["None of these has a target score: they are within the limits, and in no order."]
    names = {choice.row["arm_id"]: _name(choice) for choice in found.choices}
    lines += _uncertain(found)
    for choice in found.choices:
        if choice.dominated_by:
            by = " and ".join(names[arm] for arm in choice.dominated_by)
            lines.append(
                f"{_name(choice)} is beaten by {by}: as good in scores, memory and tuning time, better in one."
            )
    return lines


def _uncertain(found: Recommendation) -> list[str]:
    """Which arms keep which limit by their estimates alone."""
    lines = []
    for quantity, option in OPTIONS.items():
        near = [
            _name(choice)
            for choice in found.choices
            for check in choice.checks
            if check.quantity == quantity and check.state == "met by the estimate"
        ]
        if near:
            lines.append(f"within {option} by the estimate, not by the whole 95 % interval: {', '.join(near)}.")
    return lines


def _binding(found: Recommendation) -> list[str]:
    if not found.others:
        return ["No trained arm to choose from."]
    lines = [f"No arm meets the limits, of {len(found.others)}."]
    for quantity, count in sorted(found.binding.items(), key=lambda item: -item[1]):
        broken = [c for choice in found.others for c in choice.checks if c.quantity == quantity and c.state == "broken"]
        nearest = _nearest(quantity, broken)
        lines.append(f"{OPTIONS[quantity]} alone lifted would let {count} through{nearest}.")
    if not any(found.binding.values()):
        lines.append("No single limit binds: two or more stand in the way of every arm.")
    return lines


def _nearest(quantity: str, broken: Sequence[Check]) -> str:
    values = [check.value for check in broken if check.value is not None]
    if not values:
        return "; no arm is known to break it"
    nearest = min(values) if WAYS[quantity] == AT_MOST else max(values)
    return f"; the nearest that breaks it has {_shown(quantity, nearest)}"


def _shown(quantity: str, value: float) -> str:
    if quantity == "memory_bytes":
        return words.size(value)
    if quantity == "whole_tuning_seconds":
        return words.seconds(value)
    return f"{words.points(value, signed=True)} points"


def _unknown(found: Recommendation) -> list[str]:
    """What was not measured, by quantity: such an arm is not said to meet a limit."""
    lines = []
    for quantity in found.binding:
        arms = [
            _name(choice)
            for choice in found.others
            for c in choice.checks
            if (c.quantity, c.state) == (quantity, "unknown")
        ]
        if arms:
            lines.append(f"not measured, so not counted as within {OPTIONS[quantity]}: {', '.join(arms)}")
    return lines


def _name(choice: Choice) -> str:
    return words.text(f"{choice.row['name']} · {choice.row['base']}")


def _choice(choice: Choice) -> dict[str, Any]:
    row = choice.row
    figures = ("target", "target_low", "target_high", "gain", "forgetting", "memory_bytes", "whole_tuning_seconds")
    checks = [{"quantity": c.quantity, "limit": c.limit, "value": c.value, "state": c.state} for c in choice.checks]
    about = {"arm_id": row["arm_id"], "name": row["name"], "base": row["base"]}
    place = {"place": choice.place, "letters": choice.letters, "dominated_by": list(choice.dominated_by)}
    return {**about, "meets": choice.meets, **place, **{name: row[name] for name in figures}, "checks": checks}
