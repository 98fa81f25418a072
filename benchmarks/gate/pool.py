"""Whole checks drawn from the noise of real runs: rounds of the same code twice, and answers of runs that differ by
rounding alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from harness.analysis.gate import Side
from harness.analysis.gate.match import TURNS

TOLD = ("scores", "items", "losses")  # what a quality run says that chance is in


@dataclass(frozen=True, eq=False)
class Pool:
    """``rounds``: two sides of the same code, measured in rounds. ``variants``: sides with the quality runs of the same
    recipes, computed with another rounding."""

    rounds: tuple[Side, Side]
    variants: Sequence[Side]

    @cached_property
    def recipes(self) -> dict[str, str]:
        """The run that stands for each recipe, by the recipe's id."""
        return _quality_runs(self.variants[0])

    @cached_property
    def told(self) -> dict[str, list[dict[str, pd.DataFrame]]]:
        """What each variant says of each recipe, under the id of the run that stands for it."""
        return {name: [self._of_variant(side, name) for side in self.variants] for name in TOLD}

    @cached_property
    def chains(self) -> dict[str, list[str]]:
        """The recipes that share their first trained stage, and with it what rounding did to it."""
        quality = self.variants[0].runs[self.variants[0].runs["recipe_id"].isin(self.recipes)]
        by_chain = quality.drop_duplicates("recipe_id").groupby("chain", sort=False)["recipe_id"]
        return {str(chain): list(recipes) for chain, recipes in by_chain}

    @cached_property
    def measured(self) -> list[list[tuple[pd.DataFrame, pd.DataFrame]]]:
        """Each side's rounds: the measure runs of every arm, and their phases; those in which none failed."""
        sides = [_rounds(side) for side in self.rounds]
        whole = [name for name in sides[0] if name in sides[1]]
        return [[side[name] for name in whole] for side in sides]

    @cached_property
    def sizes(self) -> dict[str, int]:
        """How many items each eval has, of those whose answers are right or wrong."""
        items = self.variants[0].items
        able = items[[correct is not None for correct in items["correct"]]]
        return {eval_id: len(correct) for eval_id, correct in zip(able["eval_id"], able["correct"], strict=True)}

    def _of_variant(self, side: Side, name: str) -> dict[str, pd.DataFrame]:
        by_run = dict(list(getattr(side, name).groupby("run_id")))
        nothing = getattr(side, name).head(0)
        return {
            recipe: by_run.get(run, nothing).assign(run_id=self.recipes[recipe])
            for recipe, run in _quality_runs(side).items()
        }


@dataclass(frozen=True)
class Plant:
    """What the candidate is made worse by: shares of its speed and memory, points of every score."""

    slowdown: float = 0.0
    memory: float = 0.0
    points: float = 0.0


def draw(pool: Pool, rounds: int, plant: Plant, rng: np.random.Generator) -> tuple[Side, Side]:
    """A baseline and a candidate of ``rounds`` rounds: every chain's answers from two different variants, its items
    drawn anew (the same for both sides), its rounds from those of the pool, which side is which by chance."""
    numbers = rng.choice(len(pool.measured[0]), rounds, replace=False)
    swapped = rng.random(rounds) < 0.5
    of_chain = {chain: rng.choice(len(pool.variants), 2, replace=False) for chain in pool.chains}
    picked = {recipe: of_chain[chain] for chain, recipes in pool.chains.items() for recipe in recipes}
    items = {eval_id: rng.integers(0, size, size) for eval_id, size in pool.sizes.items()}
    sides = []
    for which in (0, 1):
        told = {name: pd.concat([pool.told[name][at[which]][r] for r, at in picked.items()]) for name in TOLD}
        told = {name: frame.reset_index(drop=True) for name, frame in told.items()}
        told["items"], told["scores"] = _resampled(told["items"], told["scores"], items)
        sides.append(replace(_measured(pool, which, numbers, swapped), **told))
    return sides[0], _planted(sides[1], plant, rng)


def _resampled(
    items: pd.DataFrame, scores: pd.DataFrame, drawn: Mapping[str, np.ndarray]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    able = [correct is not None and not np.isnan(correct).any() for correct in items["correct"]]
    right = [
        correct[drawn[eval_id]] if fit else correct
        for correct, eval_id, fit in zip(items["correct"], items["eval_id"], able, strict=True)
    ]
    items = items.assign(correct=pd.Series(right, index=items.index, dtype=object))
    return items, _with_means(items[able], scores)


def _with_means(items: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    means = {
        key: float(correct.mean())
        for *key_parts, correct in items[["run_id", "moment", "eval_id", "correct"]].itertuples(index=False)
        for key in [tuple(key_parts)]
    }
    keys = zip(scores["run_id"], scores["moment"], scores["eval_id"], strict=True)
    values = [means.get(key, value) for key, value in zip(keys, scores["value"], strict=True)]
    return scores.assign(value=values)


def _measured(pool: Pool, which: int, numbers: np.ndarray, swapped: np.ndarray) -> Side:
    """A side whose measure runs are the pool's rounds ``numbers``, the other side's where swapped."""
    first = pool.variants[0]
    runs, phases = [first.runs[first.runs["purpose"] == "quality"]], []
    for place, (number, swap) in enumerate(zip(numbers, swapped, strict=True)):
        own, told = pool.measured[which ^ int(swap)][number]
        about = {"source": f"{TURNS}drawn:{place}", "started_at": f"{place:04d}"}
        runs.append(own.assign(run_id=own["run_id"] + f"-{place}", **about))
        phases.append(told.assign(run_id=told["run_id"] + f"-{place}"))
    return replace(first, runs=pd.concat(runs, ignore_index=True), phases=pd.concat(phases, ignore_index=True))


def _planted(side: Side, plant: Plant, rng: np.random.Generator) -> Side:
    phases = side.phases.assign(tokens_per_second_median=side.phases["tokens_per_second_median"] * (1 - plant.slowdown))
    for column in [name for name in phases if name.startswith("ledger_") or name.startswith("peak_")]:
        phases[column] = phases[column] * (1 + plant.memory)
    if not plant.points:
        return replace(side, phases=phases)
    wrong = [None if correct is None else _worse(correct, plant.points, rng) for correct in side.items["correct"]]
    items = side.items.assign(correct=pd.Series(wrong, index=side.items.index, dtype=object))
    able = items[[correct is not None for correct in items["correct"]]]
    return replace(side, phases=phases, items=items, scores=_with_means(able, side.scores))


def _worse(correct: np.ndarray, points: float, rng: np.random.Generator) -> np.ndarray:
    """So many points of all answers wrong that were right."""
    count = int(len(correct) * points) + int(rng.random() < (len(correct) * points) % 1)
    able = np.flatnonzero(correct == 1)
    correct = correct.copy()
    correct[rng.choice(able, min(count, len(able)), replace=False)] = 0
    return correct


def _quality_runs(side: Side) -> dict[str, str]:
    quality = side.runs[side.runs["purpose"] == "quality"]
    return dict(zip(quality["recipe_id"], quality["run_id"], strict=True))


def _rounds(side: Side) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    measured = side.runs[(side.runs["purpose"] == "measure") & (side.runs["status"] == "ok")].sort_values("started_at")
    arms = measured["recipe_id"].nunique()
    return {
        str(name): (runs, side.phases[side.phases["run_id"].isin(runs["run_id"])])
        for name, runs in measured.groupby("source", sort=False)
        if len(runs) == arms
    }
