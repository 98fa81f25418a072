"""What two sides of a comparison are, and how they differ: two arms or runs, or the same arms in two results."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from harness.analysis.comparison import compare_arms
from harness.analysis.differing import differing
from harness.analysis.single_run import single_run
from harness.lineup import Entry, Facts, Lineup, Pair, entries_of, facts_of_evals, pair_of, pairs_in_common
from harness.report import compared, words
from harness.report.plain import plain_rows
from harness.sections import Part
from leaderboard import results
from leaderboard.results import SectionKey

LETTERS = ("A", "B")


@dataclass(frozen=True)
class Pick:
    """An arm of a section, or one run of it, by its rate and seed."""

    key: SectionKey
    arm_id: str
    learning_rate: float | None = None
    seed: int | None = None

    @property
    def is_run(self) -> bool:
        """One run, not all of its arm's seeds at the chosen rate."""
        return self.learning_rate is not None and self.seed is not None


@dataclass(frozen=True, eq=False)
class Comparison:
    """Pairs of arms, ``comparison.compare_arms`` of them, and for each pair the tasks that were not compared."""

    pairs: tuple[Pair, ...]
    table: pd.DataFrame
    missing: Sequence[Sequence[str]]


def runs_of(part: Part, pick: Pick) -> pd.DataFrame:
    """The runs that an arm or run is compared by: the newest good one of each rate and seed that counts."""
    runs = part.frames.runs
    own = runs[(runs["arm_id"] == pick.arm_id) & (runs["purpose"] == "quality") & runs["latest"]]
    if pick.is_run:
        return own[(own["learning_rate"] == pick.learning_rate) & (own["seed"] == pick.seed)]
    return own[own["chosen"]]


def compare_two(parts: tuple[Part, Part], picks: tuple[Pick, Pick]) -> Comparison:
    """Two arms or runs against each other."""
    first, second = (_entry(part, pick) for part, pick in zip(parts, picks, strict=True))
    return _compared((pair_of(first, second),), _evals(parts))


def compare_results(parts: tuple[Part, Part], names: tuple[str, str], arm_id: str | None = None) -> Comparison:
    """Every arm that two sections both hold, or one of them, against itself."""
    first, second = (entries_of(part) for part in parts)
    if arm_id is not None:
        first = {arm: entry for arm, entry in first.items() if arm == arm_id}
    return _compared(pairs_in_common(first, second, names), _evals(parts))


def differences(parts: tuple[Part, Part], picks: tuple[Pick, Pick]) -> pd.DataFrame:
    """What differs in recipe, execution and stack, a row each: ``part, key, a, b``, the values as text.

    Of an arm it is its recipe at the chosen rate; seeds are told of single runs only.
    """
    asked = [_asked(part, pick) for part, pick in zip(parts, picks, strict=True)]
    rows = [
        (what, *found)
        for what in ("recipe", "execution", "stack")
        for found in differing(asked[0].get(what, {}), asked[1].get(what, {}))
    ]
    if not any(what == "stack" for what, *_ in rows) and parts[0].stack_id != parts[1].stack_id:
        a, b = (f"of stack {part.stack_id[: results.SHOWN_ID]}" for part in parts)
        rows.append(("stack", "code that trains and scores", a, b))
    table = pd.DataFrame(rows, columns=["part", "key", "a", "b"])
    return table.assign(a=table["a"].map(_said), b=table["b"].map(_said))


def curves(parts: tuple[Part, Part], picks: tuple[Pick, Pick]) -> pd.DataFrame:
    """Both sides' losses in training, a row a logged step: ``side`` (A or B), ``method``, ``run_id``, ``seed``,
    ``step``, ``tokens_seen`` and ``loss``."""
    found = []
    for side, part, pick in zip(LETTERS, parts, picks, strict=True):
        runs = runs_of(part, pick)[["run_id", "seed", "method"]]
        steps = results.read_steps(pick.key, tuple(runs["run_id"]))
        found.append(steps.merge(runs, on="run_id").assign(side=side))
    return pd.concat(found, ignore_index=True).dropna(subset=["loss"])


def for_people(comparison: Comparison) -> pd.DataFrame:
    """The table with ``arm``, and what people read: ``shown_a, shown_b, shown_difference, p, counts, said``; with
    ``estimate, low, high``: points of 100, or the ratio."""
    table = comparison.table
    rows = plain_rows(table)
    times = pd.Series([100.0 if row["unit"] == "points" else 1.0 for row in rows], index=table.index, dtype=float)
    return table.assign(
        arm=[comparison.pairs[row["pair"]].first_arm.full_name for row in rows],
        shown_a=[compared.shown_value(row, "first") for row in rows],
        shown_b=[compared.shown_value(row, "second") for row in rows],
        shown_difference=[compared.shown_difference(row) for row in rows],
        p=[compared.shown_p(row["p_corrected"]) for row in rows],
        counts=[compared.shown_counts(row) for row in rows],
        said=[words.text(compared.shown_verdict(row)) for row in rows],
        estimate=table["difference"] * times,
        low=table["difference_low"] * times,
        high=table["difference_high"] * times,
    )


def _entry(part: Part, pick: Pick) -> Entry:
    if pick.learning_rate is None or pick.seed is None:
        return entries_of(part)[pick.arm_id]
    items = results.read_items(pick.key, tuple(runs_of(part, pick)["run_id"]))
    section = single_run(part.frames, pick.arm_id, pick.learning_rate, pick.seed, items)
    return entries_of(replace(part, frames=section))[pick.arm_id]


def _compared(pairs: tuple[Pair, ...], evals: Facts) -> Comparison:
    table = compare_arms(Lineup(pairs, evals).contenders())
    return Comparison(pairs, table, [pair.missing(evals) for pair in pairs])


def _evals(parts: Sequence[Part]) -> Facts:
    return {key: facts for part in parts for key, facts in facts_of_evals(part.evals).items()}


def _asked(part: Part, pick: Pick) -> dict[str, Any]:
    found = {"stack": part.facts}
    asked = results.read_asked(pick.key, tuple(runs_of(part, pick).sort_values("seed")["run_id"][:1]))
    if len(asked):
        recipe = asked["recipe"].iloc[0]
        stages = {f"stage {n + 1}": _stage(stage, pick) for n, stage in enumerate(recipe["stages"])}
        found |= {"recipe": {"base": recipe["base_digest"], **stages}, "execution": asked["execution"].iloc[0]}
    return found


def _stage(stage: dict[str, Any], pick: Pick) -> dict[str, Any]:
    return {key: value for key, value in stage.items() if key != "seed" or pick.is_run}


def _said(value: Any) -> str:
    return "none" if value is None else words.text(value)
