"""The mean of outcomes over questions *and* seeds, and how much it varies.

Every seed of an arm answers the same questions, so outcomes form a crossed table of seeds by items, and the mean
varies with both: other seeds would train another model, other items would ask something else. In the words of
generalizability theory (Brennan 2001, chapter 3), by two-way analysis of variance without replication,

    var(mean) = s2_seed / S + s2_item / I + s2_residual / (S I).

The first and last terms together are the variance of the seeds' means over S, known with S - 1 degrees of freedom; the
middle one is known with about I - 1. Several tasks are several blocks with the same seeds, each weighing the same.
Items as a sample: Miller 2024, "Adding Error Bars to Evals", arXiv 2411.00640.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float64]

ROUNDING = 1e-9  # of sums of squares of outcomes between 0 and 1


@dataclass(frozen=True)
class Spread:
    """The mean of some blocks and its variance, in a part that more seeds and one that more items would shrink.

    ``luck_variance`` is the share of ``seed_variance`` that is the residual's, s2_residual / (S I): more items shrink
    it too.
    """

    mean: float
    seed_variance: float
    item_variance: float
    luck_variance: float
    seeds: int
    items: int
    effective_items: float  # items that a single block would need for the same variance

    @property
    def variance(self) -> float:
        """Of the mean, from seeds and items together."""
        return self.seed_variance + self.item_variance


def spread_of(blocks: Sequence[Block]) -> Spread:
    """The spread of the mean of blocks, each (seeds, items); raises ValueError for no items, or different seeds."""
    seeds = {block.shape[0] for block in blocks}
    if len(seeds) != 1 or 0 in seeds or not all(block.shape[1] for block in blocks):
        raise ValueError(f"blocks of (seeds, items) must share their seeds and hold items: {[b.shape for b in blocks]}")
    of_seeds, by_items, by_luck = zip(*(_parts(block) for block in blocks), strict=True)
    parts = (np.mean(of_seeds, axis=0)[None], np.array([sum(by_items)]), np.array([sum(by_luck)]))
    return _spreads(*parts, [block.shape[1] for block in blocks])[0]


def spreads_of_pairs(tables: Sequence[NDArray[np.float64]]) -> list[Spread]:
    """``spread_of`` the differences of every two of several arms, in the order of ``itertools.combinations``.

    Each eval's table is (arms, seeds, items) and complete, of at least two seeds and items. The sums of squares of all
    differences come from the products of the arms' tables with one another, so that no table of differences is made.
    """
    means = []
    by_items = by_luck = np.zeros(())
    for table in tables:
        n_seeds, n_items = table.shape[1:]
        whole = table.mean(axis=(1, 2))
        of_seeds, of_items = table.mean(axis=2), table.mean(axis=1)
        seeds, items = (_squared_distances(part - whole[:, None]) for part in (of_seeds, of_items))
        total = _squared_distances((table - whole[:, None, None]).reshape(len(table), -1))
        residual = np.maximum(0.0, total - n_items * seeds - n_seeds * items) / ((n_seeds - 1) * (n_items - 1))
        by_items = by_items + np.maximum(0.0, n_seeds * items / (n_items - 1) - residual) / (n_seeds * n_items)
        by_luck = by_luck + residual / (n_seeds * n_items)
        means.append(of_seeds)
    first, second = np.triu_indices(len(tables[0]), 1)
    differences = np.mean(means, axis=0)[first] - np.mean(means, axis=0)[second]
    return _spreads(differences, by_items, by_luck, [table.shape[2] for table in tables])


def _squared_distances(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of every two rows; what rounding leaves of none is none."""
    products = np.einsum("ik,jk->ij", rows, rows)  # `@` would wake threads that wait for one another on a busy machine
    own = np.diag(products)
    first, second = np.triu_indices(len(rows), 1)
    squares = own[first] + own[second] - 2 * products[first, second]
    return np.where(squares > ROUNDING, squares, 0.0)


def _spreads(
    of_seeds: NDArray[np.float64],
    by_items: NDArray[np.float64],
    by_luck: NDArray[np.float64],
    n_items: Sequence[int],
) -> list[Spread]:
    """From the means of seeds over all evals (n, seeds), and the sums over evals of the variance's parts (n,)."""
    n_seeds, weight = of_seeds.shape[1], 1 / len(n_items)
    items, luck = weight**2 * by_items, weight**2 * by_luck
    seeds = of_seeds.var(axis=1, ddof=1) / n_seeds if n_seeds > 1 else np.zeros(len(of_seeds))
    seeds = np.where(seeds + items < 1e-12, luck, seeds)  # means that agree to the last item agree by luck
    effective = 1 / float(sum(weight**2 / n for n in n_items))
    columns = (column.tolist() for column in (of_seeds.mean(axis=1), seeds, items, luck))
    return [
        Spread(mean, seed, item, by_chance, n_seeds, sum(n_items), effective)
        for mean, seed, item, by_chance in zip(*columns, strict=True)
    ]


def _parts(block: Block) -> tuple[NDArray[np.float64], float, float]:
    """A block's means of seeds, its s2_item / I, cut off at zero, and its s2_residual / (S I).

    The two-way table's sums of squares, total = seeds + items + residual, so that no table of residuals is made.
    """
    n_seeds, n_items = block.shape
    of_seeds = block.mean(axis=1)
    if n_items == 1:
        return of_seeds, 0.0, 0.0
    from_mean = block - of_seeds.mean()
    of_items = from_mean.mean(axis=0)
    between_items = n_seeds * float(of_items @ of_items)
    if n_seeds == 1:
        return of_seeds, between_items / (n_items - 1) / n_items, 0.0
    off = of_seeds - of_seeds.mean()
    left = float(np.einsum("ij,ij->", from_mean, from_mean)) - between_items - n_items * float(off @ off)
    residual = max(0.0, left) / ((n_seeds - 1) * (n_items - 1))
    item = between_items / (n_items - 1)
    return of_seeds, max(0.0, item - residual) / block.size, residual / block.size
