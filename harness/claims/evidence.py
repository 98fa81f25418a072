"""What a claim's rules find in the results at hand: estimates with their intervals, and the runs that they are of.

Nothing is computed here that the analysis computes: differences and ratios are those of ``comparison.compare_arms``,
merged adapters those of ``summary.summarise_merged``. Only chosen rates are set against each other here, and what
memory ended is told beside what was measured.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf, isnan
from typing import Any

import numpy as np
import pandas as pd

from harness.analysis.comparison import compare_arms
from harness.analysis.contender import Contender
from harness.analysis.forgetting import ends
from harness.analysis.summary import summarise_merged
from harness.analysis.uncertainty import value_interval
from harness.claims.entry import COSTS, MOMENTS, Claim, Condition, Rule
from harness.claims.held import Held
from harness.claims.shortage import shortage
from harness.claims.sizes import base_parameters
from harness.errors import UserError
from harness.lineup import Entry, pair_of
from harness.selectors import Named, select

MEMORY = "memory"
RATE = "chosen rate"
TUNED = ("gain", "forgetting")  # each arm at the best of its rates
EVERY_RATE = (RATE, "forgetting at matched gain")  # read off all rates that were tried
ONE_MEASUREMENT = "no interval: not measured twice"
EDGE = "a rate at the edge of its grid: a better one may lie beyond"
SHORT = "memory ended it"
GRID = "interval: as far as the neighbours on the grids of rates"


@dataclass(frozen=True)
class Measured:
    """A quantity that a condition asks for: in shares of 1 (``points``), as a ratio or in bytes. The 95 % interval is
    None where nothing tells how much it varies."""

    quantity: str
    unit: str
    estimate: float
    low: float | None
    high: float | None
    holds: bool | None
    note: str | None = None

    @property
    def was_short(self) -> bool:
        """Did memory end the runs, so that they need more than ``estimate`` bytes and nobody knows how many?"""
        return self.note == SHORT


@dataclass(frozen=True)
class Place:
    """Where a rule was held against runs: one pair of arms (or an arm) on one base, in one suite on one machine."""

    suite: str
    machine: str
    base: str
    base_parameters: int
    arms: str
    in_scope: bool
    measured: tuple[Measured, ...]
    runs: tuple[str, ...]
    asked: str = ""  # by which selectors the arms were chosen

    @property
    def holds(self) -> bool | None:
        """Do all conditions hold? None where that can't be told."""
        held = [one.holds for one in self.measured]
        return False if False in held else True if all(held) else None


def places(claim: Claim, results: Sequence[Held]) -> list[Place]:
    """Every place in which all of a rule's conditions were measured; the same runs in two sources count once."""
    found = (place for rule in claim.rules for held in results for place in _of_rule(claim, rule, held, results))
    return list(dict.fromkeys(found))


def _of_rule(claim: Claim, rule: Rule, held: Held, results: Sequence[Held]) -> Iterator[Place]:
    if rule.suite not in (None, held.part.suite):
        return
    for first, second in _chosen(rule, held):
        arms = [entry.arm.arm_id for entry in (first, second) if entry]
        quantities: set[str] = {one.quantity for one in rule.conditions}
        if not (quantities <= set(COSTS) or all(_is_complete(held, arm, rule.seeds) for arm in arms)):
            continue
        if quantities & set(COSTS) and len({_conditions(held, arm) for arm in arms}) > 1:
            continue
        edge = any(_is_at_edge(held, arm) for arm in arms)
        size = base_parameters(held, first.arm.arm_id, results)
        if size is None:
            continue
        in_scope = claim.scope.covers(held.device, size)
        if second is None and quantities <= set(COSTS) and not in_scope:
            continue  # a bound on bytes means nothing beside a model of another size
        for figures, runs in _found(held, first, second, quantities):
            measured = [_measured(condition, figures.get(condition.quantity), edge) for condition in rule.conditions]
            if not all(measured):
                continue
            yield Place(
                suite=held.part.suite,
                machine=held.machine,
                base=first.arm.base,
                base_parameters=size,
                arms=f"{first.arm.name} against {second.arm.name}" if second else first.arm.name,
                in_scope=in_scope,
                measured=tuple(one for one in measured if one),
                runs=runs,
                asked=f"{rule.first} against {rule.second}" if rule.second else rule.first,
            )


def _chosen(rule: Rule, held: Held) -> list[tuple[Entry, Entry | None]]:
    """The arms that a rule selects: pairs on one base, of one rank where both have one."""
    arms = [entry.arm for entry in held.entries.values()]
    firsts = _selected(arms, rule.first)
    if rule.second is None:
        return [(held.entries[one.arm_id], None) for one in firsts]
    return [
        (held.entries[one.arm_id], held.entries[other.arm_id])
        for one, other in product(firsts, _selected(arms, rule.second))
        if one.base == other.base and one.arm_id != other.arm_id and _of_one_rank(one, other)
    ]


def _of_one_rank(one: Named, other: Named) -> bool:
    return one.rank == other.rank or None in (one.rank, other.rank)


def _selected(arms: Sequence[Named], selector: str) -> list[Named]:
    try:
        return select(arms, selector)
    except UserError:  # none such here
        return []


def _is_complete(held: Held, arm: str, seeds: int) -> bool:
    """Was the arm's rate chosen, and does no rate that went beyond one seed lack any of so many?"""
    rates = held.part.frames.rates
    own = rates[rates["arm_id"] == arm]
    beyond = own[(own["seeds"] > 1) | own["chosen"]]
    return bool(own["chosen"].any() and (beyond["seeds"] >= seeds).all())


def _conditions(held: Held, arm: str) -> tuple[Any, ...]:
    """What has to be alike where costs are compared: batch, length, optimizer, the arithmetic's type, and how it is
    computed."""
    assert held.side
    own = held.recipes[arm]["stages"][-1]
    optimizer, compute = own.get("optimizer", {}).get("name"), own.get("precision", {}).get("compute")
    return own.get("batch_size"), own.get("sequence_length"), optimizer, compute, held.side.costs[arm]["execution_id"]


def _is_at_edge(held: Held, arm: str) -> bool:
    rates = held.part.frames.rates
    return bool((rates["arm_id"].eq(arm) & rates["chosen"] & rates["at_edge"]).any())


Figures = dict[str, dict[str, Any]]


def _found(
    held: Held, first: Entry, second: Entry | None, quantities: set[str]
) -> Iterator[tuple[Figures, tuple[str, ...]]]:
    """What was measured, with its runs; and of one arm also the least that it needs, with those that memory ended."""
    arms = [entry.arm.arm_id for entry in (first, second) if entry]
    figures = _figures(held, first, second)
    yield figures, _runs(held, arms, quantities)
    short = shortage(held, first.arm.arm_id) if second is None and MEMORY in quantities else None
    if short is not None:
        others = _runs(held, arms, quantities - {MEMORY})
        needs = _figure("bytes", short.there_was, short.there_was + 1, inf, SHORT)  # bytes are whole
        yield {**figures, MEMORY: needs}, tuple(sorted({*short.runs, *others}))


def _figures(held: Held, first: Entry, second: Entry | None) -> Figures:
    """By quantity: unit, estimate, low, high, note."""
    if second is None:
        return {**_merged(held, first.arm.arm_id), MEMORY: _memory(pair_of(first, first).first)}
    pair = pair_of(first, second)
    table = compare_arms([(pair.first, pair.second)])
    found = {
        str(row["quantity"]): _figure(row["unit"], *(row[f"difference{end}"] for end in ("", "_low", "_high")))
        for row in table[table["kind"] != "task"].to_dict("records")
    }
    first_rate, second_rate = (_bracket(held, entry.arm.arm_id) for entry in (first, second))
    if first_rate and second_rate:
        (low, rate, high), (other_low, other, other_high) = first_rate, second_rate
        most = high / other_low if other_low else inf
        found[RATE] = _figure("ratio", rate / other, low / other_high, most, GRID)
    return found


def _merged(held: Held, arm: str) -> Figures:
    table = summarise_merged(held.part.frames)
    return {
        str(row["moment"]): _figure("points", row["difference"], row["difference_low"], row["difference_high"])
        for row in table[table["arm_id"] == arm].to_dict("records")
    }


def _memory(arm: Contender) -> dict[str, Any]:
    """The mean of what its measure runs needed."""
    values = arm.measurements("memory_bytes")
    found = value_interval([np.array([values]).T]) if values else None
    return _figure("bytes", *ends(found))


def _figure(unit: str, estimate: Any, low: Any, high: Any, note: str | None = None) -> dict[str, Any]:
    values = [None if pd.isna(value) else float(value) for value in (estimate, low, high)]
    return dict(zip(("unit", "estimate", "low", "high", "note"), (unit, *values, note), strict=True))


def _bracket(held: Held, arm: str) -> tuple[float, float, float] | None:
    """The chosen rate between its neighbours on the grid: the best one lies between them where scores rise to it and
    fall from it. 0 or infinity where the grid ends; a rate that diverged bounds it too, one that crashed does not."""
    rates = held.part.frames.rates
    told = (rates["ok_runs"] > 0) | rates["failures"].fillna("").str.contains("nan")
    own = rates[(rates["arm_id"] == arm) & told].sort_values("learning_rate")
    grid, chosen = own["learning_rate"].tolist(), own["chosen"].tolist()
    if True not in chosen:
        return None
    n = chosen.index(True)
    return (grid[n - 1] if n else 0.0, grid[n], grid[n + 1] if n + 1 < len(grid) else inf)


def _measured(condition: Condition, figure: dict[str, Any] | None, edge: bool) -> Measured | None:
    """None where it was not measured; ``edge`` says that an arm was not tuned to its best."""
    if figure is None or figure["estimate"] is None or isnan(figure["estimate"]):
        return None
    low, high, note = figure["low"], figure["high"], figure["note"]
    holds = None
    if low is None or high is None:
        low, high, note = None, None, ONE_MEASUREMENT
    elif edge and condition.quantity in TUNED:
        note = EDGE
    else:
        holds = condition.claimed.holds(low, high)
    return Measured(condition.quantity, figure["unit"], figure["estimate"], low, high, holds, note)


def _runs(held: Held, arms: Sequence[str], quantities: set[str]) -> tuple[str, ...]:
    """The runs that the quantities come from, those of the base that they are measured from among them."""
    runs = held.part.frames.runs
    own, good = runs["arm_id"].isin(arms), runs["status"] == "ok"
    quality = own & good & (runs["purpose"] == "quality") & runs["latest"]
    wanted = pd.Series(False, index=runs.index)
    if quantities & set(COSTS):
        wanted |= own & good & (runs["purpose"] == "measure") & runs["exclusive"]
    if quantities & set(EVERY_RATE):
        wanted |= quality
    if quantities - set(COSTS):
        wanted |= quality & runs["chosen"]
    if quantities - {*COSTS, *MOMENTS, RATE}:
        frames = held.part.frames
        bases = {frames.base_of(arm) for arm in frames.arms[frames.arms["arm_id"].isin(arms)].to_dict("records")}
        wanted |= runs["arm_id"].isin(bases) & good & runs["latest"]
    return tuple(sorted(runs.loc[wanted, "run_id"]))
