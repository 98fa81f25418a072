"""A figure of an arm over stacks and results files, in order of time, with its steps and what changed at each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from harness.analysis.differing import differing
from harness.analysis.steps import Step, find_steps
from harness.analysis.summary import COLUMNS, summarise
from harness.errors import UserError
from harness.sections import Contents, Part
from harness.selectors import Named, select
from harness.sources import open_source

_WORDS = ("arm_id", "name", "label", "method", "base", "moment", "status", "flag", "memory_measure", "letters", "edge")
METRICS = tuple(name for name in COLUMNS if name not in _WORDS and not name.endswith(("_low", "_high")))


@dataclass(frozen=True)
class Point:
    """An arm's figure on one stack, as one source holds it; ``facts`` are the stack's."""

    when: str
    source: str
    suite: str
    stack_id: str
    facts: Mapping[str, Any]
    value: float
    low: float | None = None
    high: float | None = None
    measure: str | None = None  # which of the memory figures, where it is one


@dataclass(frozen=True, eq=False)
class Past:
    """What one source says of one suite on one stack: the stack's facts, and a row an arm of ``analysis.summary``,
    indexed by arm_id, with ``last_started_at``."""

    source: str
    suite: str
    stack_id: str
    facts: Mapping[str, Any]
    arms: pd.DataFrame

    def point(self, arm_id: str, metric: str) -> Point | None:
        """An arm's figure; None where it never ran, or where that was not measured."""
        if arm_id not in self.arms.index or pd.isna(self.arms.at[arm_id, metric]):
            return None
        row = self.arms.loc[arm_id]
        low, high = (_known(row.get(f"{metric}_{end}")) for end in ("low", "high"))
        measure = str(row["memory_measure"]) if metric == "memory_bytes" else None
        about = (str(row["last_started_at"]), self.source, self.suite, self.stack_id, self.facts)
        return Point(*about, float(row[metric]), low, high, measure)


@dataclass(frozen=True)
class History:
    """The points of an arm by time, the steps between them, and how many points were measured in another way."""

    arm: Named
    metric: str
    points: tuple[Point, ...]
    steps: tuple[Step, ...]
    left_out: int

    def changes(self, step: Step) -> list[str]:
        """What differs between the two stacks that a step lies between, a line each."""
        return changed(self.points[step.index - 1], self.points[step.index])


def histories(metric: str, selectors: Sequence[str], sources: Sequence[Path]) -> list[History]:
    """The history of the arm that each selector names, over every suite and stack of the sources.

    Raises UserError for a metric or an arm that is not there, and for a selector that names several arms.
    """
    if not selectors:
        raise UserError('--arm: name an arm at least, as in --arm "lora r=8"')
    if metric not in METRICS:
        raise UserError(f"{metric}: no such metric; there are {', '.join(METRICS)}")
    held = [_Held(path) for path in sources]
    known = {arm.arm_id: arm for one in reversed(held) for arm in one.arms.values()}
    wanted = [_one(list(known.values()), selector) for selector in selectors]
    return [history_of(metric, arm, [past for one in held for past in one.pasts(arm.arm_id)]) for arm in wanted]


def past_of(source: str, part: Part) -> Past:
    """A part as a history takes it; one without any arm has no point."""
    arms = part.frames.arms
    about = (source, part.suite, part.stack_id, part.facts)
    if arms.empty:
        return Past(*about, pd.DataFrame())
    ran = arms.set_index("arm_id")["last_started_at"]
    return Past(*about, summarise(part.frames).set_index("arm_id").assign(last_started_at=ran))


def history_of(metric: str, arm: Named, pasts: Iterable[Past]) -> History:
    """An arm's points in the pasts that have one, those of the newest's measure, and the steps between them."""
    found = {_identity(point): point for past in pasts if (point := past.point(arm.arm_id, metric)) is not None}
    points = sorted(found.values(), key=lambda point: point.when)
    alike = [point for point in points if point.measure == points[-1].measure]
    steps = find_steps([point.value for point in alike])
    return History(arm, metric, tuple(alike), tuple(steps), len(points) - len(alike))


def changed(before: Point, after: Point) -> list[str]:
    """The facts that two stacks do not share, as ``torch 2.12.0 -> 2.13.0``."""
    if before.stack_id == after.stack_id:
        return ["nothing in the stack"]
    lines = [f"{key} {_fact(was)} -> {_fact(now)}" for key, was, now in differing(before.facts, after.facts)]
    return lines or ["the code that trains and scores"]


class _Held:
    """What one source holds: its arms, and on which stacks they ran."""

    def __init__(self, path: Path) -> None:
        source = open_source(path)
        self.name, self.contents = source.name, Contents(source.db, every_rate=False)
        keys = self.contents.keys()
        self.named = {key: self.contents.named(*key) for key in keys}
        self.arms = {arm.arm_id: arm for arms in reversed(self.named.values()) for arm in arms}
        self._known: dict[tuple[str, str], Past] = {}

    def pasts(self, arm_id: str) -> list[Past]:
        keys = [key for key, arms in self.named.items() if any(arm.arm_id == arm_id for arm in arms)]
        return [self._past(key) for key in keys]

    def _past(self, key: tuple[str, str]) -> Past:
        """With every arm's row: places and shares of speed are among all of them."""
        if key not in self._known:
            self._known[key] = past_of(self.name, self.contents.part(*key))
        return self._known[key]


def _identity(point: Point) -> tuple[str, str, str, float]:
    """The same runs in a file and in a snapshot of it are one point."""
    return point.suite, point.stack_id, point.when, point.value


def _one(arms: list[Named], selector: str) -> Named:
    found = select(arms, selector)
    if len(found) > 1:
        several = "; ".join(f"{arm.full_name} ({arm.arm_id[:10]})" for arm in found)
        raise UserError(
            f"--arm {selector}: names several arms: {several}; give more of the name, or the start of an id"
        )
    return found[0]


def _fact(value: Any) -> str:
    return "none" if value is None else str(value)


def _known(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
