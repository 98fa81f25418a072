"""The methods side by side on one shape: what they train, need, gain in speed and score, each figure with its basis."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from harness.analysis.summary import summarise
from harness.claims.held import Held
from harness.claims.principles import flops_ratio
from harness.errors import UserError
from harness.predict.fit import METHODS, Way, bytes_on_device, ways
from harness.predict.parameters import total
from harness.predict.recipe import Recipe, recipe_of
from harness.predict.shapes import read_shape

SHAPE, LENGTH, BATCH, RANKS = "llama-2-7b", 2048, 1, (8, 16, 64)
FULL = ("full_sft", "full_sft amp")

Basis = Literal["counted", "predicted", "measured"]


@dataclass(frozen=True)
class Told:
    """A figure, what it rests on, and the machine or base where it was measured."""

    value: float
    basis: Basis
    where: str | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Row:
    """A method: ``trainable`` parameters are counted; ``speed`` is relative to full SFT, at most that where counted."""

    method: str
    rank: int | None
    trainable: int
    memory: Told
    speed: Told | None
    score: Told | None


@dataclass(frozen=True)
class Trained:
    """A training step that was measured on a GPU, with what decides its cost."""

    parameters: int
    recipe: Recipe
    batch: int
    length: int
    memory_bytes: float
    tokens_per_second: float
    machine: str


def comparison(results: Sequence[Held]) -> list[Row]:
    """A row a method and rank on ``SHAPE``, at ``BATCH`` x ``LENGTH`` with gradient checkpointing.

    Memory and speed are those of GPU runs of the same recipe where there are any.
    """
    shape, measured, scores = read_shape(SHAPE), list(trained(results)), _scores(results)
    found = ways(list(METHODS), RANKS, "adamw", "all-linear")
    rows = []
    for way in (one for one in found if one.recipe.checkpointing):
        own = alike(measured, way, total(shape))
        memory = Told(bytes_on_device(shape, way, LENGTH, BATCH), "predicted")
        if own:
            memory = Told(own.memory_bytes, "measured", own.machine)
        speed = _speed(way, own, alike(measured, _full(found), total(shape)))
        rows.append(Row(way.method, way.rank, way.trainable(shape), memory, speed, scores.get(_key(way))))
    return rows


def alike(measured: Sequence[Trained], way: Way, parameters: int) -> Trained | None:
    """The run of the same recipe on as many parameters, at the table's batch and length; None where there is none.

    Several are of different machines: the first is that of the newest results.
    """
    wanted = (parameters, way.recipe, BATCH, LENGTH)
    return next((one for one in measured if (one.parameters, one.recipe, one.batch, one.length) == wanted), None)


def trained(results: Sequence[Held]) -> Iterator[Trained]:
    """Every arm that was measured on a GPU and whose recipe is one that is predicted."""
    for held in results:
        if held.device != "cuda" or held.side is None:
            continue
        for arm, cost in held.side.costs.items():
            asked = held.recipes.get(arm)
            if asked is None or pd.isna(cost["memory_bytes"]) or pd.isna(cost["tokens_per_second"]):
                continue
            try:
                recipe = recipe_of(asked["stages"], held.executions[cost["execution_id"]], "cuda")
            except (UserError, KeyError):  # nothing is predicted of it
                continue
            own = asked["stages"][-1]
            yield Trained(
                int(cost["base_parameters"]), recipe, own["batch_size"], own["sequence_length"],
                float(cost["memory_bytes"]), float(cost["tokens_per_second"]), held.machine,
            )  # fmt: skip


def _full(found: Sequence[Way]) -> Way:
    return next(way for way in found if way.method == FULL[0] and way.recipe.checkpointing)


def _speed(way: Way, own: Trained | None, full: Trained | None) -> Told | None:
    if own and full and own.machine == full.machine:
        return Told(own.tokens_per_second / full.tokens_per_second, "measured", own.machine)
    if way.method == FULL[0]:
        return Told(1.0, "counted")
    if way.recipe.reference is None and way.recipe.adapter:
        return Told(flops_ratio(recomputation=True), "counted")
    return None


def _key(way: Way) -> tuple[str, int | None]:
    return ("full_sft" if way.method in FULL else way.method, way.rank)


def _scores(results: Sequence[Held]) -> dict[tuple[str, int | None], Told]:
    """Target scores by method and rank, on the largest base on which full SFT was scored."""
    found: dict[tuple[str, int | None], Told] = {}
    largest = 0.0
    for held in results:
        for base, rows in _scored(held).groupby("base", sort=False):
            size = float(rows["base_parameters"].iloc[0])
            if size > largest and (rows["method"] == "full_sft").any():
                found, largest = _by_method(rows, str(base)), size
    return found


def _scored(held: Held) -> pd.DataFrame:
    """The summary's trained rows that have a target score, with the method of the arm that each starts from."""
    if not len(held.part.frames.arms):
        return pd.DataFrame({"base": [], "method": [], "base_parameters": []})
    arms = held.part.frames.arms.set_index("arm_id")
    table = summarise(held.part.frames)
    table["parent"] = table["arm_id"].map(arms["parent_arm_id"]).map(arms["method"])
    return table[table["target"].notna() & (table["method"] != "base")]


def _by_method(rows: pd.DataFrame, where: str) -> dict[tuple[str, int | None], Told]:
    found: dict[tuple[str, int | None], Told] = {}
    for row in rows.to_dict("records"):
        name = f"dpo on {row['parent']}" if row["method"] == "dpo" else str(row["method"])
        key = (name, None if pd.isna(row["rank"]) else int(row["rank"]))
        ends = (None if pd.isna(row[end]) else float(row[end]) for end in ("target_low", "target_high"))
        found.setdefault(key, Told(float(row["target"]), "measured", where, *ends))
    return found
