"""What two arms are compared in: the tasks they share, what they gained and forgot, and what they cost."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace

from harness.analysis import effects
from harness.analysis.contender import Contender
from harness.analysis.matched import forgetting_at_matched_gain
from harness.analysis.repeats import ratio_interval
from harness.analysis.shares import counted, spread_of_difference
from harness.analysis.spread import Block, Spread
from harness.analysis.uncertainty import ONE_SEED, Interval

HIGHER, LOWER, NEITHER = 1, -1, 0  # is better
COSTS = {
    "memory": ("memory_bytes", LOWER),
    "tokens/s": ("tokens_per_second", HIGHER),
    "tuning time": ("whole_tuning_seconds", LOWER),
    "trained parameters": ("trainable_parameters", NEITHER),
}
MEASURED = ("memory", "tokens/s")
ONE_RUN = "one run each, so no interval"
UNPAIRED = "no items kept, so not paired"
OTHER_MACHINE = "measured on different machines"
OTHER_MEASURE = "not measured the same way"


@dataclass(frozen=True)
class Quantity:
    """One quantity of a pair: both values, and either the differences still to be tested or the interval."""

    name: str
    kind: str  # task, gain, forgetting, matched or cost
    better: int
    unit: str = "points"  # first minus second, of shares of 1; or ratio: first over second
    role: str | None = None
    metric: str | None = None
    first: float | None = None
    second: float | None = None
    blocks: list[Block] = field(default_factory=list)
    spread: Spread | None = None  # of a difference that is not one of items
    interval: Interval | None = None
    tested: Hashable = None  # quantities of a pair that test the same answers are one test
    note: str | None = None


def quantities(first: Contender, second: Contender) -> list[Quantity]:
    """Every quantity of a pair; only costs where the two share no eval, and none where one of them was not trained."""
    shared = shared_evals(first, second)
    tasks = [_task(first, second, eval_id) for eval_id in shared]
    return [*tasks, *_effects(first, second, shared), *_costs(first, second)]


def shared_evals(first: Contender, second: Contender) -> list[str]:
    """The test evals that both were scored on: the same task, version, items and decoding."""
    others = set(second.evals)
    return [eval_id for eval_id in first.evals if eval_id in others]


def _task(first: Contender, second: Contender, eval_id: str) -> Quantity:
    about = first.side.section.test_evals[eval_id]
    one, other = first.outcomes(eval_id), second.outcomes(eval_id)
    row = Quantity(about.task, "task", HIGHER, role=about.role, metric=about.metric, tested=(eval_id,))
    if not about.higher_is_better:
        first_value, second_value = effects.perplexity(one), effects.perplexity(other)
        ratio = effects.ratio(one, other)
        return replace(row, better=LOWER, unit="ratio", first=first_value, second=second_value, interval=ratio)
    row = replace(row, first=effects.mean([one]), second=effects.mean([other]))
    if counted(one, other):
        return replace(row, spread=spread_of_difference([one], [other]), note=UNPAIRED)
    return replace(row, blocks=effects.differences([one], [other]))


def _effects(first: Contender, second: Contender, shared: list[str]) -> Iterator[Quantity]:
    facts = first.side.section.test_evals
    target, general = (
        [one for one in shared if facts[one].role == role and facts[one].higher_is_better]
        for role in ("target", "general")
    )
    if target:
        yield from _moved(first, second, "gain", target, HIGHER)
    if general:
        yield from _moved(first, second, "forgetting", general, LOWER)
    if target and general:
        yield from _matched(first, second, target, general)


def _moved(first: Contender, second: Contender, name: str, evals: list[str], better: int) -> Iterator[Quantity]:
    """Gain or forgetting, each from the arm's own base; where both have the same one, its answers cancel."""
    moved = first.moved(evals), second.moved(evals)
    if not all(moved):
        return
    same_base = first.side is second.side and first.base == second.base
    yield Quantity(
        name,
        name,
        better,
        first=better * effects.mean(moved[0]),
        second=better * effects.mean(moved[1]),
        blocks=[better * block for block in effects.differences(*moved)],
        tested=(*evals, *(() if same_base else ("from", first.base, second.base))),
    )


def _matched(first: Contender, second: Contender, target: list[str], general: list[str]) -> Iterator[Quantity]:
    found = forgetting_at_matched_gain(first.points(target, general), second.points(target, general))
    if found is None:
        return
    row = Quantity("forgetting at matched gain", "matched", LOWER)
    if found.common_gains is None or found.interval is None:
        (a, b), (c, d) = ([100 * gain for gain in ends] for ends in (found.first_gains, found.second_gains))
        note = f"no gain in common: A's rates gain {a:.0f} to {b:.0f} points, B's {c:.0f} to {d:.0f}"
        yield replace(row, note=note)
        return
    low, high = (100 * gain for gain in found.common_gains)
    flag = ONE_SEED if found.interval.low is None else None
    note = f"over gains of {low:.0f} to {high:.0f} points"
    yield replace(row, interval=replace(found.interval, flag=flag), tested="matched", note=note)


def _costs(first: Contender, second: Contender) -> Iterator[Quantity]:
    if not (first.trained and second.trained):
        return
    for name, (column, better) in COSTS.items():
        values = first.cost(column), second.cost(column)
        row = Quantity(name, "cost", better, "ratio", first=values[0], second=values[1])
        if values[0] and values[1]:
            yield _ratio(row, first, second, column)
        elif values != (None, None):
            missing = [side for side, value in zip("AB", values, strict=True) if value is None]
            yield replace(row, note=f"not measured for {missing[0]}" if missing else None)


def _ratio(row: Quantity, first: Contender, second: Contender, column: str) -> Quantity:
    assert row.first and row.second
    if row.better and first.side.machine != second.side.machine:
        return replace(row, better=NEITHER, note=OTHER_MACHINE)
    if row.name == "memory" and first.memory_measure != second.memory_measure:
        return replace(row, better=NEITHER, note=OTHER_MEASURE)
    ratio = Interval(row.first / row.second)
    if row.name not in MEASURED:
        return replace(row, interval=ratio)
    repeated = ratio_interval(first.measurements(column), second.measurements(column))
    return replace(row, interval=repeated, tested=row.name) if repeated else replace(row, interval=ratio, note=ONE_RUN)
