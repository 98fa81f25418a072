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
        return self.seed_variance + self.item_variance


def spread_of(blocks: Sequence[Block]) -> Spread:
    """The spread of the mean of blocks, each (seeds, items); raises ValueError for no items, or different seeds."""
    seeds = {block.shape[0] for block in blocks}
    if len(seeds) != 1 or 0 in seeds or not all(block.shape[1] for block in blocks):
        raise ValueError(f"blocks of (seeds, items) must share their seeds and hold items: {[b.shape for b in blocks]}")
    n_seeds, weight = seeds.pop(), 1 / len(blocks)
    means, by_items, by_luck = zip(*(_parts(block) for block in blocks), strict=True)
    of_seeds = np.mean(means, axis=0)
    item_variance, luck_variance = weight**2 * sum(by_items), weight**2 * sum(by_luck)
    seed_variance = of_seeds.var(ddof=1) / n_seeds if n_seeds > 1 else 0.0
    if seed_variance + item_variance < 1e-12:  # means that agree to the last item agree by luck
        seed_variance = luck_variance
    return Spread(
        mean=float(of_seeds.mean()),
        seed_variance=float(seed_variance),
        item_variance=float(item_variance),
        luck_variance=float(luck_variance),
        seeds=n_seeds,
        items=sum(block.shape[1] for block in blocks),
        effective_items=1 / float(sum(weight**2 / block.shape[1] for block in blocks)),
    )


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
    left = float(np.vdot(from_mean, from_mean)) - between_items - n_items * float(off @ off)
    residual = max(0.0, left) / ((n_seeds - 1) * (n_items - 1))
    item = between_items / (n_items - 1)
    return of_seeds, max(0.0, item - residual) / block.size, residual / block.size
