"""What each arm answered, as tables of seeds by items, and the same of two arms laid side by side."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Key = tuple[str, str, str]  # arm_id, moment, eval_id
ItemRow = Mapping[Hashable, Any]

ROUNDING = 1e-5  # nats, or of more than one nat the share, up to which two log-likelihoods in float32 are one number
SAME = 1e-4  # how far items' mean may be from the score that they are said to make up

UNTRAINED = ("base", "prompted")  # moments of a model that nothing was trained on

# A loss recorded as its rise over the base's: the base's own is zero, and neither is known by itself.
NATS_OVER_BASE = "nats_per_token_over_base"

# Metrics that are logarithms already, in nats; every other one where lower is better is taken to be a perplexity.
NATS_PER_UNIT = {
    **{"nats_per_word": 1.0, "nats_per_token": 1.0, "nats_per_byte": 1.0, "bits_per_byte": float(np.log(2))},
    NATS_OVER_BASE: 1.0,
}


class _Scored(NamedTuple):
    arm_id: str
    run_id: str
    moment: str
    eval_id: str
    metric: str
    value: float
    n_items: float
    seed: float
    higher_is_better: bool


@dataclass(frozen=True)
class Outcomes:
    """An arm's outcomes in one eval: ``table`` (seeds, items), right 1, wrong 0, unknown NaN.

    Where lower is better the table holds natural logarithms. Where the items were not kept, or are not what the
    metric averages, it is (seeds, 1) and holds each seed's score. ``seeds`` is empty for an untrained model, whose
    single row stands for every seed. ``n_items`` says of how many items a score between 0 and 1 without them is a mean;
    0 where that is not known, or the table holds the items.
    """

    seeds: tuple[int, ...]
    table: NDArray[np.float64]
    n_items: int = 0

    @property
    def by_item(self) -> bool:
        """Does the table hold the items, and not each seed's score alone?"""
        return self.table.shape[1] > 1


def collect(scores: pd.DataFrame, items: pd.DataFrame) -> dict[Key, Outcomes]:
    """The outcomes of every arm, moment and eval.

    Takes the reader's ``scores``, one row a run, moment, eval and metric, of the runs to be shown (one a seed), and
    its ``items``. An eval with several metrics is represented by the one that its items average, else the first.
    """
    packed = {(row["run_id"], row["moment"], row["eval_id"]): row for row in items.to_dict("records")}
    found: dict[Key, Outcomes] = {}
    groups: dict[tuple[str, ...], list[_Scored]] = {}
    for row in scores[list(_Scored._fields)].dropna(subset=["value"]).sort_values("seed").itertuples(index=False):
        groups.setdefault((row.arm_id, row.moment, row.eval_id, row.metric), []).append(_Scored(*row))
    for (arm, moment, eval_id, _), rows in sorted(groups.items()):
        outcomes = _outcomes(rows, packed)
        if (arm, moment, eval_id) not in found or (outcomes.by_item and not found[arm, moment, eval_id].by_item):
            found[arm, moment, eval_id] = outcomes
    return found


def paired(first: Outcomes, second: Outcomes) -> NDArray[np.float64]:
    """The first's outcomes minus the second's, (seeds, items), without the items that either does not know."""
    return known(minus(first, second).table)


def minus(first: Outcomes, second: Outcomes) -> Outcomes:
    """The first's outcomes minus the second's, item by item and seed by seed; NaN where either is unknown.

    A seed fixes the order of the data, so equal seeds are pairs; arms without a seed in common are paired in order.
    An untrained model stands beside every seed of the other. Where one has no items, each seed's scores are compared.
    Numbers that differ by no more than ``ROUNDING`` do not differ: summed over many items, the rounding of
    another processor would be a difference beyond chance.
    """
    seeds, left, right = _same_seeds(first, second)
    if left.shape[1] != right.shape[1]:
        left, right = (np.nanmean(table, axis=1, keepdims=True) for table in (left, right))
    apart = left - right
    rounding = ROUNDING * np.maximum(1.0, np.maximum(np.abs(left), np.abs(right)))
    return Outcomes(seeds, np.where(np.abs(apart) <= rounding, 0.0, apart))


def known(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """The items whose outcome is known at every seed."""
    unknown = np.isnan(table)
    return table[:, ~unknown.any(axis=0)] if unknown.any() else table


def common_seeds(several: Sequence[Outcomes]) -> list[Outcomes]:
    """The outcomes of one arm in several evals, at the seeds that were scored on all of them."""
    seeded = [outcomes.seeds for outcomes in several if outcomes.seeds]
    if len(set(seeded)) <= 1:
        return list(several)
    common = [seed for seed in seeded[0] if all(seed in other for other in seeded)]
    return [
        replace(outcomes, seeds=tuple(common), table=outcomes.table[[outcomes.seeds.index(seed) for seed in common]])
        if outcomes.seeds
        else outcomes
        for outcomes in several
    ]


def _same_seeds(first: Outcomes, second: Outcomes) -> tuple[tuple[int, ...], NDArray[np.float64], NDArray[np.float64]]:
    if first.seeds == second.seeds or not first.seeds or not second.seeds:
        return first.seeds or second.seeds, first.table, second.table  # one row against all: numpy repeats it
    common = tuple(sorted(set(first.seeds) & set(second.seeds)))
    if common:
        rows = [[outcomes.seeds.index(seed) for seed in common] for outcomes in (first, second)]
        return common, first.table[rows[0]], second.table[rows[1]]
    size = min(len(first.seeds), len(second.seeds))
    return first.seeds[:size], first.table[:size], second.table[:size]


def _outcomes(scored: Sequence[_Scored], packed: Mapping[Key, ItemRow]) -> Outcomes:
    """One arm's outcomes at one moment, in one eval and metric; of a seed that is there twice the last."""
    trained = scored[0].moment not in UNTRAINED
    scored = list({row.seed: row for row in scored}.values()) if trained else scored[-1:]
    seeds = tuple(int(row.seed) for row in scored) if trained else ()
    scores = np.array([row.value for row in scored], dtype=np.float64)
    rows = [packed.get((row.run_id, row.moment, row.eval_id)) for row in scored]
    if scored[0].higher_is_better:
        table = _stacked([None if row is None else row["correct"] for row in rows])
    else:
        unit = NATS_PER_UNIT.get(scored[0].metric)
        scores = scores * unit if unit is not None else np.log(scores)
        table = _in_nats(_stacked([_likelihoods(row) for row in rows]), scores)
    if table is None or not (np.abs(_row_means(table) - scores) <= SAME * (1 + np.abs(scores))).all():
        return Outcomes(seeds, scores[:, None], _mean_of(scored))
    return Outcomes(seeds, table)


def _mean_of(scored: Sequence[_Scored]) -> int:
    """Of how many items in [0, 1] the scores are a mean; 0 where they are not, or not of the same number."""
    is_share = all(row.higher_is_better and 0 <= row.value <= 1 for row in scored)
    return int(scored[0].n_items) if is_share and len({row.n_items for row in scored}) == 1 else 0


def _row_means(table: NDArray[np.float64]) -> NDArray[np.float64]:
    means = table.mean(axis=1)
    return np.nanmean(table, axis=1) if np.isnan(means).any() else means


def _in_nats(likelihoods: NDArray[np.float64] | None, scores: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Each text's part of the log perplexity: its log-likelihood over the words of a mean text.

    The number of words follows from the score and is the same for every seed; if not, the items are something else.
    """
    if likelihoods is None:
        return None
    per_word = scores / likelihoods.mean(axis=1)
    return likelihoods * per_word[:, None] if np.allclose(per_word, per_word[0], rtol=0.01) else None


def _likelihoods(row: ItemRow | None) -> NDArray[np.float64] | None:
    return None if row is None or row["values"] is None else row["values"].singles()


def _stacked(rows: "list[NDArray[np.float64] | None]") -> NDArray[np.float64] | None:
    there = [row for row in rows if row is not None and len(row) and not np.isnan(row).all()]
    if len(there) < len(rows) or len({len(row) for row in there}) != 1:
        return None
    return np.stack(there)
