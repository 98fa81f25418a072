"""A recommendation on the terminal and as JSON: the arms within limits, why, what is unknown, which limit binds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.analysis.costs import ALLOCATED, DEVICE, LEDGER, RESERVED
from harness.analysis.recommend import Choice, Recommendation
from harness.report import words
from harness.report.reasons import OPTIONS, ORDER, TUNING, binding, name_of, reasons, unknown

RECOMMENDATION_VERSION = 2

_NEEDED = {
    DEVICE: "the process' share of the device as its driver sees it, the device's own context included",
    RESERVED: "what PyTorch's allocator reserved; the device's own context comes on top",
    ALLOCATED: "what PyTorch's allocator handed out; its reserve and the device's own context come on top",
    LEDGER: "tensor bytes counted in training alone; temporaries and libraries come on top",
}


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
        for line in reasons(found, OPTIONS):
            console.print(Text(line))
    else:
        for line in binding(found, OPTIONS):
            console.print(Text(line))
    for line in unknown(found, OPTIONS):
        console.print(Text(line, style="yellow"))
    for line in _legend(found.choices) if found.choices else ():
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
            Text(name_of(choice)),
            Text(choice.letters),
            Text(words.with_interval(row, "target")),
            Text(words.points(row["gain"], signed=True)),
            Text(words.points(row["forgetting"], signed=True)),
            Text(words.size(row["needed_bytes"])),
            Text(words.seconds(row["whole_tuning_seconds"])),
        )
    return table


def _legend(choices: Sequence[Choice]) -> list[str]:
    measures = dict.fromkeys(choice.row["needed_measure"] for choice in choices)
    said = [_NEEDED[measure] for measure in measures if measure is not None]
    memory = f"memory: highest peak of any phase at the batch that was run, of {', or of '.join(said)}."
    return [ORDER, *([memory] if said else []), TUNING]


def _choice(choice: Choice) -> dict[str, Any]:
    row = choice.row
    figures = (
        *("target", "target_low", "target_high", "gain", "forgetting"),
        *("memory_bytes", "needed_bytes", "needed_measure", "whole_tuning_seconds"),
    )
    checks = [{"quantity": c.quantity, "limit": c.limit, "value": c.value, "state": c.state} for c in choice.checks]
    about = {"arm_id": row["arm_id"], "name": row["name"], "base": row["base"]}
    place = {"place": choice.place, "letters": choice.letters, "dominated_by": list(choice.dominated_by)}
    return {**about, "meets": choice.meets, **place, **{name: row[name] for name in figures}, "checks": checks}
