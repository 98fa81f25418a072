"""Whole checks drawn from the noise of real runs: rounds of the same code twice, and answers of runs that differ by
rounding alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from harness.analysis.gate import Side

TOLD = ("scores", "items", "losses")  # what a quality run says that chance is in


@dataclass(frozen=True, eq=False)
class Pool:
    """``rounds``: two sides of the same code, measured in rounds. ``variants``: sides with the quality runs of the same
    recipes, computed with another rounding."""

    rounds: tuple[Side, Side]
    variants: Sequence[Side]


@dataclass(frozen=True)
class Plant:
    """What the candidate is made worse by: shares of its speed and memory, points of every score."""

    slowdown: float = 0.0
    memory: float = 0.0
    points: float = 0.0


def draw(pool: Pool, rounds: int, plant: Plant, rng: np.random.Generator) -> tuple[Side, Side]:
    """A baseline and a candidate of ``rounds`` rounds: every recipe's answers from two different variants, its items
    drawn anew (the same for both sides), its rounds from those of the pool, which side is which by chance."""
    numbers = rng.choice(_round_count(pool.rounds[0]), rounds, replace=False)
    swapped = rng.random(len(numbers)) < 0.5
    recipes = sorted(pool.variants[0].runs.loc[pool.variants[0].runs["purpose"] == "quality", "recipe_id"].unique())
    picked = {recipe: rng.choice(len(pool.variants), 2, replace=False) for recipe in recipes}
    items = {eval_id: rng.integers(0, size, size) for eval_id, size in _sizes(pool.variants[0]).items()}
    sides = []
    for which in (0, 1):
        told = {name: _told(pool, name, {r: p[which] for r, p in picked.items()}) for name in TOLD}
        told["items"], told["scores"] = _resampled(told["items"], told["scores"], items)
        side = _measured(pool, which, numbers, swapped)
        sides.append(replace(side, **told))
    return sides[0], _planted(sides[1], plant, rng)


def _told(pool: Pool, name: str, picked: Mapping[str, int]) -> pd.DataFrame:
    """The rows of each recipe from the variant picked for it, under the run ids of the first."""
    first = _quality_runs(pool.variants[0])
    parts = []
    for recipe, number in picked.items():
        run = _quality_runs(pool.variants[number])[recipe]
        rows = getattr(pool.variants[number], name)
        parts.append(rows[rows["run_id"] == run].assign(run_id=first[recipe]))
    return pd.concat(parts, ignore_index=True)


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
    kept = [_rounds(side) for side in pool.rounds]
    phases = {id(side): side.phases.set_index("run_id", drop=False) for side in pool.rounds}
    runs, told = [], []
    for place, (number, swap) in enumerate(zip(numbers, swapped, strict=True)):
        at = which ^ int(swap)
        for row in kept[at][kept[at]["round"] == number].to_dict("records"):
            run_id = f"{row['arm']}-{place}"
            runs.append({**row, "run_id": run_id, "started_at": f"{place:04d}"})
            told.append(phases[id(pool.rounds[at])].loc[[row["run_id"]]].assign(run_id=run_id))
    first = pool.variants[0]
    quality = first.runs[first.runs["purpose"] == "quality"]
    same = {name: getattr(first, name) for name in ("gradients", "logits")}
    both = pd.concat([quality, pd.DataFrame(runs).drop(columns="round")], ignore_index=True)
    return replace(first, runs=both, phases=pd.concat(told, ignore_index=True), **same)


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


def _rounds(side: Side) -> pd.DataFrame:
    measured = side.runs[(side.runs["purpose"] == "measure") & (side.runs["status"] == "ok")].sort_values("started_at")
    return measured.assign(round=measured.groupby("recipe_id").cumcount())


def _round_count(side: Side) -> int:
    return int(_rounds(side).groupby("recipe_id")["round"].max().min()) + 1


def _sizes(side: Side) -> dict[str, int]:
    told = side.items[[correct is not None for correct in side.items["correct"]]]
    return {eval_id: len(correct) for eval_id, correct in zip(told["eval_id"], told["correct"], strict=True)}
