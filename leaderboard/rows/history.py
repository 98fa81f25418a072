"""An arm's figure over stacks and results, as the page shows it: a row a point, with what changed before it."""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from harness.history import History, Past, changed, history_of
from harness.selectors import Named
from leaderboard import tables
from leaderboard.quantities import Quantity
from leaderboard.results import SHOWN_ID
from leaderboard.rows.arms import trained
from leaderboard.scope import Scope

COLUMNS = [
    *("arm", "method", "place", "slot", "when", "source", "stack", "value", "low", "high", "level"),
    *("step", "changes"),
]


def columns(quantity: Quantity) -> list[tables.Column]:
    """What the table shows of a point."""
    return [
        tables.text("arm", "arm", "The arm, with its base."),
        tables.text("when", "last run", "When its last run there began (UTC)."),
        tables.text("source", "results", "The results file or snapshot."),
        tables.text("stack", "stack", "The software and hardware that it ran on, by the start of its id."),
        tables.number("value", quantity.title, quantity.meaning, quantity.printf),
        tables.number("low", "from", "Lower end of the 95 % interval.", quantity.printf),
        tables.number("high", "to", "Upper end of the 95 % interval.", quantity.printf),
        tables.text("step", "step", "Whether the level went up or down here for good."),
        tables.text("changes", "changed since the point before", "What differs between the two stacks."),
    ]


def arms_of(sections: Iterable[Sequence[Named]]) -> dict[str, Named]:
    """Every arm of the sections by its full name, with the start of its id where two are alike; the newest first."""
    by_id = {arm.arm_id: arm for arms in sections for arm in arms}
    names = [arm.full_name for arm in by_id.values()]
    return {
        arm.full_name if names.count(arm.full_name) == 1 else f"{arm.full_name} #{arm.arm_id[:SHOWN_ID]}": arm
        for arm in by_id.values()
    }


def best_of(scope: Scope, known: Mapping[str, Named], most: int = 3) -> list[str]:
    """The names of the trained arms that the leaderboard has first; of any arm where nothing was trained."""
    best = list(dict.fromkeys(trained(scope.summary())["arm_id"]))[:most]
    names = {arm.arm_id: name for name, arm in known.items()}
    return [names[arm_id] for arm_id in best] or list(known)[:1]


def histories_of(quantity: Quantity, arms: Sequence[Named], pasts: Sequence[Past]) -> list[History]:
    """The history of each arm, those without a point left out."""
    found = [history_of(quantity.name, arm, pasts) for arm in arms]
    return [one for one in found if one.points]


def table(histories: Sequence[History], quantity: Quantity) -> pd.DataFrame:
    """A row a point (``COLUMNS``), in the quantity's unit, arm by arm in order of time.

    ``slot`` is where and on what it ran, and ``place`` its number in time among the slots of all arms; ``level`` the
    median between two steps; ``step`` up or down at the first point after one; ``changes`` what the stack has that
    the point before had not.
    """
    rows = [row for history in histories for row in _rows(history, quantity)]
    frame = pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "place"])
    first = frame.groupby("slot")["when"].min().sort_values(kind="stable")
    place = pd.Series(range(1, len(first) + 1), index=first.index)
    figures = dict.fromkeys(("value", "low", "high", "level"), float)
    return frame.assign(place=frame["slot"].map(place)).astype(figures)[COLUMNS]


def _rows(history: History, quantity: Quantity) -> Iterable[list[object]]:
    steps = {step.index: step for step in history.steps}
    level: float | None = history.steps[0].before if history.steps else None
    for n, point in enumerate(history.points):
        step = steps.get(n)
        level = step.after if step else level
        changes = "; ".join(changed(history.points[n - 1], point)) if n else ""
        stack = f"stack {point.stack_id[:SHOWN_ID]}"
        yield [
            *(history.arm.full_name, history.arm.method, f"{point.when[:10]} · {stack} · {point.source}"),
            point.when[:16].replace("T", " "),
            *(point.source, stack),
            *(_scaled(value, quantity) for value in (point.value, point.low, point.high, level)),
            *("" if step is None else "up" if step.after > step.before else "down", changes),
        ]


def _scaled(value: float | None, quantity: Quantity) -> float | None:
    return None if value is None else value * quantity.scale
