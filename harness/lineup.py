"""From what people name to what is compared: pairs of arms of one results file, or the same arms in two.

What is in memory already is paired by ``entries_of``, ``pair_of`` and ``pairs_in_common``, which open nothing.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from harness.analysis.contender import Contender, Side
from harness.analysis.mismatch import mismatches
from harness.analysis.quantities import shared_evals
from harness.errors import UserError
from harness.sections import Contents, Part, named_arms
from harness.selectors import Named, listed, select
from harness.sources import open_source

MACHINE = ("device", "gpu", "gpus", "processor", "cores", "memory_limit_bytes")

Key = tuple[str, str]  # suite and stack
Facts = dict[str, dict[Hashable, Any]]


class NoCommonArm(UserError):
    """Two results files hold no arm in common: nothing was learned in the same way and computed in the same way."""


@dataclass(frozen=True, eq=False)
class Entry:
    """An arm that can be compared, by what it is called, and the side that it is taken from."""

    arm: Named
    side: Side


@dataclass(frozen=True, eq=False)
class Pair:
    """Two arms to compare, with what to call them; ``source`` is the results file's name where there are two."""

    first: Contender
    second: Contender
    first_arm: Named
    second_arm: Named
    sources: tuple[str, str] | None = None

    def missing(self, evals: Facts) -> list[str]:
        """The tasks that the two do not share, and why; takes the facts of the evals of both files."""
        return mismatches(self.first.evals, self.second.evals, evals)


@dataclass(frozen=True, eq=False)
class Lineup:
    """The pairs, and the facts of the evals of the files that they come from, by their ids."""

    pairs: tuple[Pair, ...]
    evals: Facts

    def contenders(self) -> list[tuple[Contender, Contender]]:
        """As the analysis takes them."""
        return [(pair.first, pair.second) for pair in self.pairs]


def entries_of(part: Part) -> dict[str, Entry]:
    """Every arm of a part by its id, all on one side."""
    side = side_of(part)
    return {arm.arm_id: Entry(arm, side) for arm in named_arms(part.frames.arms)}


def pair_of(first: Entry, second: Entry, sources: tuple[str, str] | None = None) -> Pair:
    """Two entries to compare."""
    one, other = (Contender(entry.side, entry.arm.arm_id) for entry in (first, second))
    return Pair(one, other, first.arm, second.arm, sources)


def pairs_in_common(
    first: Mapping[str, Entry], second: Mapping[str, Entry], sources: tuple[str, str]
) -> tuple[Pair, ...]:
    """A pair an arm that both hold, in the order of the first."""
    return tuple(pair_of(entry, second[arm], sources) for arm, entry in first.items() if arm in second)


def within_file(path: Path, first: str, second: str) -> Lineup:
    """Every pair of an arm that ``first`` selects and one that ``second`` does, within a base where there are several.

    The arms are taken from the newest suite and stack that holds both. Raises UserError where one selects none, or the
    two never ran on the same stack.
    """
    results = Results(path)
    key = results.newest_with(first, second)
    arms = results.named(key)
    chosen = _pairs(select(arms, first), select(arms, second))
    if not chosen:
        raise UserError(f"{first} and {second}: name the same arm, and nothing else to compare it with")
    return _with_items(results.lineup(key, chosen), first, second)


def across_files(first: Path, second: Path, only: str | None) -> Lineup:
    """Every arm that two results files both hold, each from the newest suite and stack that has it.

    Raises NoCommonArm where they hold none, and UserError where the arms have no items in common.
    """
    one, other = Results(first), Results(second)
    common = [arm for arm in one.newest if arm in other.newest]
    if not common:
        raise NoCommonArm(
            f"{first} and {second}: no arm in common ({first} holds {listed(one.arms.values())}; "
            f"{second} holds {listed(other.arms.values())})"
        )
    named = [one.arms[arm] for arm in common]
    wanted = [arm.arm_id for arm in (select(named, only) if only else named)]
    names = (first.name, second.name) if first.name != second.name else (str(first), str(second))
    pairs = pairs_in_common(one.entries(wanted), other.entries(wanted), names)
    return _with_items(Lineup(pairs, one.evals | other.evals), *names)


class Results:
    """A results file or snapshot, by arms."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.contents = Contents(open_source(path).db)
        self.keys = self.contents.keys()
        if not self.keys:
            raise UserError(f"{path}: holds no run that has ended")

    @cached_property
    def newest(self) -> dict[str, Key]:
        """Each arm's newest suite and stack."""
        return {arm.arm_id: key for key in reversed(self.keys) for arm in self.named(key)}

    @cached_property
    def arms(self) -> dict[str, Named]:
        """Every arm by its id."""
        return {arm.arm_id: arm for key in reversed(self.keys) for arm in self.named(key)}

    @property
    def evals(self) -> Facts:
        """The facts of its evals, by their ids."""
        return facts_of_evals(self.contents.evals)

    def named(self, key: Key) -> list[Named]:
        """The arms of one suite and stack."""
        return self.contents.named(*key)

    def newest_with(self, *selectors: str) -> Key:
        """The newest suite and stack in which every selector finds something."""
        for selector in selectors:
            select(list(self.arms.values()), selector)
        for key in self.keys:
            if all(_finds(self.named(key), selector) for selector in selectors):
                return key
        raise UserError(f"{' and '.join(selectors)}: no run in common: they never ran in the same suite on one stack")

    def entries(self, arms: Iterable[str]) -> dict[str, Entry]:
        """The arms by their ids, each from its newest suite and stack."""
        sides = self._sides({arm: self.newest[arm] for arm in arms})
        return {arm: Entry(self.arms[arm], side) for arm, side in sides.items()}

    def lineup(self, key: Key, pairs: Iterable[tuple[Named, Named]]) -> Lineup:
        """Pairs of arms of one suite and stack."""
        pairs = list(pairs)
        sides = self._sides({arm.arm_id: key for pair in pairs for arm in pair})
        made = (pair_of(Entry(a, sides[a.arm_id]), Entry(b, sides[b.arm_id])) for a, b in pairs)
        return Lineup(tuple(made), self.evals)

    def _sides(self, where: Mapping[str, Key]) -> dict[str, Side]:
        """The side that each arm is taken from."""
        by_key: dict[Key, set[str]] = {}
        for arm, key in where.items():
            by_key.setdefault(key, set()).add(arm)
        made = {key: side_of(self.contents.part(*key, wanted=arms)) for key, arms in by_key.items()}
        return {arm: made[key] for arm, key in where.items()}


def side_of(part: Part) -> Side:
    """A part as a side, with the machine that its runs had."""
    return Side(part.frames, ", ".join(str(part.facts.get(key)) for key in MACHINE))


def facts_of_evals(evals: pd.DataFrame) -> Facts:
    """The rows of ``reader.evals`` by their ids."""
    return {str(row["eval_id"]): row for row in evals.to_dict("records")}


def _pairs(firsts: list[Named], seconds: list[Named]) -> list[tuple[Named, Named]]:
    """Each unordered pair once, none of an arm with itself; of several those on one base, if there are any."""
    found: dict[frozenset[str], tuple[Named, Named]] = {}
    for first, second in product(firsts, seconds):
        if first.arm_id != second.arm_id:
            found.setdefault(frozenset((first.arm_id, second.arm_id)), (first, second))
    return [pair for pair in found.values() if pair[0].base == pair[1].base] or list(found.values())


def _finds(arms: list[Named], selector: str) -> bool:
    try:
        return bool(select(arms, selector))
    except UserError:
        return False


def _with_items(lineup: Lineup, first: str, second: str) -> Lineup:
    if any(shared_evals(pair.first, pair.second) for pair in lineup.pairs):
        return lineup
    why = dict.fromkeys(_reasons(lineup))
    raise UserError(
        f"{first} and {second}: no items in common: {'; '.join(why) or 'neither was scored on a test task'}"
    )


def _reasons(lineup: Lineup) -> Iterator[str]:
    for pair in lineup.pairs:
        yield from pair.missing(lineup.evals)
