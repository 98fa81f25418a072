"""What each arm answered, as tables of seeds by items, and the same of two arms laid side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Key = tuple[str, str, str]  # arm_id, moment, eval_id

# Metrics that are logarithms already, in nats; every other one where lower is better is taken to be a perplexity.
NATS_PER_UNIT = {"nats_per_word": 1.0, "nats_per_token": 1.0, "nats_per_byte": 1.0, "bits_per_byte": float(np.log(2))}


@dataclass(frozen=True)
class Outcomes:
    """An arm's outcomes in one eval: ``table`` (seeds, items), right 1, wrong 0, unknown NaN.

    Where lower is better the table holds natural logarithms. Where the items were not kept, or are not what the
    metric averages, it is (seeds, 1) and holds each seed's score. ``seeds`` is empty for an untrained model, whose
    single row stands for every seed.
    """

    seeds: tuple[int, ...]
    table: NDArray[np.float64]

    @property
    def by_item(self) -> bool:
        return self.table.shape[1] > 1


def collect(scores: pd.DataFrame, items: pd.DataFrame) -> dict[Key, Outcomes]:
    """The outcomes of every arm, moment and eval.

    Takes the reader's ``scores``, one row a run, moment, eval and metric, of the runs to be shown (one a seed), and
    its ``items``. An eval with several metrics is represented by the one that its items average, else the first.
    """
    packed = {(run, moment, eval_id): row for run, moment, eval_id, row in _item_rows(items)}
    found: dict[Key, Outcomes] = {}
    for (arm, moment, eval_id, _), rows in scores.groupby(["arm_id", "moment", "eval_id", "metric"], sort=True):
        values = rows.dropna(subset=["value"]).sort_values("seed")
        if values.empty:
            continue
        outcomes = _outcomes(values, packed)
        if (arm, moment, eval_id) not in found or (outcomes.by_item and not found[arm, moment, eval_id].by_item):
            found[arm, moment, eval_id] = outcomes
    return found


def paired(first: Outcomes, second: Outcomes) -> NDArray[np.float64]:
    """The first's outcomes minus the second's, (seeds, items), item by item and seed by seed.

    A seed fixes the order of the data, so equal seeds are pairs; arms without a seed in common are paired in order.
    An untrained model stands beside every seed of the other. Items that either does not know are left out; where
    one has no items, each seed's scores are compared.
    """
    left, right = _same_seeds(first, second)
    if left.shape[1] != right.shape[1]:
        left, right = (np.nanmean(table, axis=1, keepdims=True) for table in (left, right))
    return known(left - right)


def known(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """The items whose outcome is known at every seed."""
    return table[:, ~np.isnan(table).any(axis=0)]


def _same_seeds(first: Outcomes, second: Outcomes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if not first.seeds or not second.seeds:
        return first.table, second.table  # one row against all: numpy repeats it
    common = sorted(set(first.seeds) & set(second.seeds))
    if common:
        rows = [[outcomes.seeds.index(seed) for seed in common] for outcomes in (first, second)]
        return first.table[rows[0]], second.table[rows[1]]
    size = min(len(first.seeds), len(second.seeds))
    return first.table[:size], second.table[:size]


def _outcomes(values: pd.DataFrame, packed: Mapping[tuple[str, str, str], pd.Series]) -> Outcomes:
    trained = values["method"].iloc[0] != "base"
    values = values.drop_duplicates("seed", keep="last") if trained else values.tail(1)
    lower_is_better = not values["higher_is_better"].iloc[0]
    scores = values["value"].to_numpy(dtype=np.float64)
    if lower_is_better:
        unit = NATS_PER_UNIT.get(values["metric"].iloc[0])
        scores = scores * unit if unit is not None else np.log(scores)
    keys = zip(values["run_id"], values["moment"], values["eval_id"], strict=True)
    rows = [_item_values(packed.get(key), lower_is_better) for key in keys]
    seeds = tuple(int(seed) for seed in values["seed"]) if trained else ()
    table = _table(rows)
    if table is None or not np.allclose(np.nanmean(table, axis=1), scores, rtol=1e-4, atol=1e-4):
        return Outcomes(seeds, scores[:, None])
    return Outcomes(seeds, table)


def _item_values(row: "pd.Series | None", lower_is_better: bool) -> NDArray[np.float64] | None:
    if row is None:
        return None
    if not lower_is_better:
        correct: NDArray[np.float64] | None = row["correct"]
        return correct
    values = row["values"]
    if values is None or not len(values) or any(len(value) != 1 for value in values):
        return None
    return np.array([value[0] for value in values], dtype=np.float64)


def _table(rows: "list[NDArray[np.float64] | None]") -> NDArray[np.float64] | None:
    known_rows = [row for row in rows if row is not None and len(row) and not np.isnan(row).all()]
    if len(known_rows) < len(rows) or len({len(row) for row in known_rows}) != 1:
        return None
    return np.stack(known_rows)


def _item_rows(items: pd.DataFrame) -> Any:
    for _, row in items.iterrows():
        yield row["run_id"], row["moment"], row["eval_id"], row
