"""Which arms keep within the limits that someone has, best first; what is unknown, and which limit binds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from harness.analysis.costs import needed, whole_tuning_seconds
from harness.analysis.pareto import pareto_set
from harness.analysis.ranking import best_first, compare, ranked
from harness.analysis.section import Section

State = Literal["met", "met by the estimate", "broken", "unknown"]

AT_MOST, AT_LEAST = -1, 1
WAYS = {
    **{"memory_bytes": AT_MOST, "needed_bytes": AT_MOST},
    **{"forgetting": AT_MOST, "whole_tuning_seconds": AT_MOST, "gain": AT_LEAST},
}
COSTS = ("memory_bytes", "whole_tuning_seconds")
FAR_BELOW = 10  # times
ROLES = ("target", "general", "preference", "safety")


@dataclass(frozen=True)
class Check:
    """One limit of one arm. ``met by the estimate``: the 95 % interval reaches beyond the limit."""

    quantity: str  # a key of WAYS
    limit: float
    value: float | None
    state: State

    @property
    def passes(self) -> bool:
        """What was not measured does not."""
        return self.state.startswith("met")


@dataclass(frozen=True)
class Choice:
    """An arm, how it stands to the limits, and its place among the arms that meet them (None if it does not).

    ``row`` is its row of the summary; ``dominated_by`` names arms that meet them too and are supported as at least as
    good in every score, memory and tuning time, and better in one.
    """

    row: Mapping[str, Any]
    checks: tuple[Check, ...]
    place: int | None = None
    letters: str = ""
    dominated_by: tuple[str, ...] = ()

    @property
    def missed(self) -> tuple[Check, ...]:
        """The limits that it isn't known to keep."""
        return tuple(check for check in self.checks if not check.passes)

    @property
    def meets(self) -> bool:
        """Does it keep every limit?"""
        return not self.missed


@dataclass(frozen=True)
class Recommendation:
    """``choices``: the arms that meet every limit, by place and then by target. ``others``: those that do not.

    ``binding`` says for each limit how many more arms would meet the rest if it alone were lifted.
    """

    choices: tuple[Choice, ...]
    others: tuple[Choice, ...]
    binding: Mapping[str, int]


def recommend(section: Section, summary: pd.DataFrame, limits: Mapping[str, float]) -> Recommendation:
    """Of the trained arms in ``summary`` (see ``summary.summarise``; cut down to one base, say) those within limits.

    ``limits`` may have the keys of ``WAYS``: bytes (in training, or needed in every phase: ``costs.needed``) and
    seconds at most, forgetting at most and gain at least as shares of 1. A limit is kept if the estimate keeps it. The
    order is that of the target score, by paired tests among the arms that are left, so that what cannot be told apart
    shares a place and a letter.
    """
    trained = summary[summary["chosen_rate"].notna()]
    rows = trained.assign(whole_tuning_seconds=whole_tuning_seconds(trained))
    rows = rows.join(needed(section.phases), on="arm_id").astype(object)
    plain = rows.where(rows.notna(), None).to_dict("records")
    judged = [Choice(row, tuple(_check(row, *limit) for limit in limits.items())) for row in map(_named, plain)]
    choices = _ordered(section, [choice for choice in judged if choice.meets])
    others = tuple(choice for choice in judged if not choice.meets)
    return Recommendation(choices, others, {limit: _alone(others, limit) for limit in limits})


def preferred(found: Recommendation, by: str) -> Choice | None:
    """Of the arms in the first place, those beaten left out, the one with the least of ``by`` (of ``target`` the most);
    what is not known comes last. Where no arm has a place all that meet the limits count; None where none does.

    ``by`` is a column of the summary, or whole_tuning_seconds.
    """
    first = [choice for choice in found.choices if choice.place == 1] or list(found.choices)
    unbeaten = [choice for choice in first if not choice.dominated_by] or first
    sign = -1 if by == "target" else 1
    return min(unbeaten, key=lambda choice: _last_if_none(choice.row[by], sign), default=None)


def nearest_first(others: Sequence[Choice]) -> list[Choice]:
    """The arms outside the limits: the fewer they miss the earlier, then by how far they miss the one missed most
    (costs as a share of the limit, scores in shares of 1). What is not known is missed by the most."""
    return sorted(others, key=lambda choice: (len(choice.missed), max(map(_beyond, choice.missed), default=0.0)))


def binding_limit(found: Recommendation) -> str | None:
    """The limit that alone keeps the most arms out; None where none does."""
    limit = max(found.binding, key=lambda name: found.binding[name], default=None)
    return limit if limit is not None and found.binding[limit] else None


def far_below(summary: pd.DataFrame, limit_bytes: float) -> bool:
    """Is every arm's memory known to be under a tenth of a limit, so that nothing is learned of what fits there?"""
    most = summary["memory_bytes"].max()
    return bool(most == most and FAR_BELOW * most < limit_bytes)


def _last_if_none(value: float | None, sign: int) -> float:
    return float("inf") if value is None else sign * value


def _beyond(check: Check) -> float:
    if check.value is None:
        return float("inf")
    distance = abs(check.value - check.limit)
    return distance if check.quantity in ("forgetting", "gain") or not check.limit else distance / check.limit


def _named(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in row.items()}


def _check(row: Mapping[str, Any], quantity: str, limit: float) -> Check:
    value, way = row[quantity], WAYS[quantity]
    if value is None:
        return Check(quantity, limit, None, "unknown")
    if way * (value - limit) < 0:
        return Check(quantity, limit, value, "broken")
    worst = row.get(f"{quantity}_{'high' if way == AT_MOST else 'low'}")
    certain = worst is None or way * (worst - limit) >= 0
    return Check(quantity, limit, value, "met" if certain else "met by the estimate")


def _alone(others: Sequence[Choice], quantity: str) -> int:
    return sum(all(check.passes for check in one.checks if check.quantity != quantity) for one in others)


def _ordered(section: Section, choices: Sequence[Choice]) -> tuple[Choice, ...]:
    rows = {choice.row["arm_id"]: choice for choice in choices}
    pairs = {role: compare(section.answers(list(rows), role)) for role in ROLES if section.evals(role)}
    order = best_first({arm: choice.row["target"] for arm, choice in rows.items()})
    standing = ranked(pairs["target"], order) if order else {}
    costs = {name: {arm: choice.row[name] for arm, choice in rows.items()} for name in COSTS}
    dominated = pareto_set(list(rows), pairs, costs)["dominated_by"]
    placed = []
    for arm, choice in rows.items():
        place, letters = standing.get(arm, (None, ""))
        placed.append(replace(choice, place=place, letters=letters, dominated_by=tuple(dominated[arm])))
    return tuple(sorted(placed, key=_by_place))


def _by_place(choice: Choice) -> tuple[float, float]:
    target = choice.row["target"]
    return (choice.place or float("inf"), -target if target is not None else 0.0)
