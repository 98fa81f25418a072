"""How many seeds, items or repeats it takes to see a difference of a given size, from the noise seen so far.

The test is the one of ``uncertainty.difference_interval``: a difference is seen where it is further from zero than
Cochran and Cox's quantile times its standard error. With S seeds and I items the squared error is

    s2_seed / S + s2_item / I + s2_residual / (S I),

and the chance to see a true difference is taken from the noncentral t distribution, with Satterthwaite's degrees of
freedom for the error (Brennan 2001, chapter 6; Lenth 2001, The American Statistician 55). What three seeds say of the
noise is itself uncertain by a factor of two or so: take the answer as an order of size, and ask again as seeds come in.

Memory and speed are compared by the ratio of their measurements (``repeats.ratio_interval``): with n runs of each arm
its logarithm has the squared error (s2_first + s2_second) / n, and the chance to see a ratio is found the same way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import nctdtr

from harness.analysis.corrections import LEVEL
from harness.analysis.spread import Spread
from harness.analysis.uncertainty import error_of
from harness.analysis.weighted_t import WeightedT

POWER = 0.8
MOST_SEEDS = 1_000
MOST_ITEMS = 1_000_000
MOST_REPEATS = 1_000


@dataclass(frozen=True)
class Noise:
    """Variances of the difference of two arms: of one seed, of one item, and of what is left of one answer.

    Items are counted as a single eval would need them (``Spread.effective_items``).
    """

    seed: float
    item: float
    residual: float

    def spread(self, seeds: int, items: float) -> Spread:
        """The spread of a mean difference over that many seeds and items."""
        luck = self.residual / (seeds * items)
        return Spread(0.0, self.seed / seeds + luck, self.item / items, luck, seeds, max(2, int(items)), items)


def noise_of(spread: Spread) -> Noise | None:
    """The noise in the difference of two arms; None where one seed, or a lack of items, leaves it unknown."""
    if spread.seeds < 2 or spread.effective_items <= 1:
        return None
    seeds, items = spread.seeds, spread.effective_items
    seed = max(0.0, spread.seed_variance - spread.luck_variance) * seeds
    return Noise(seed, spread.item_variance * items, spread.luck_variance * seeds * items)


def power(spread: Spread, difference: float, level: float = LEVEL) -> float:
    """The chance that a true difference (in [0, 1], of either sign) is seen at ``level``, two-sided."""
    if spread.variance <= 0:
        return 1.0 if difference else 0.0
    return _chance(error_of([spread]), difference, level)


def seeds_needed(spread: Spread, difference: float, wanted: float = POWER, level: float = LEVEL) -> int | None:
    """The fewest seeds that see ``difference`` with chance ``wanted`` on the items there are.

    ``spread`` is that of the two arms' difference so far. None where more than ``MOST_SEEDS`` would be needed: the
    items then vary too much; or where the noise is unknown.
    """
    noise = noise_of(spread)
    if noise is None or not difference:
        return None
    items = spread.effective_items
    return _fewest(lambda n: power(noise.spread(n, items), difference, level) >= wanted, 2, MOST_SEEDS)


def items_needed(spread: Spread, difference: float, wanted: float = POWER, level: float = LEVEL) -> int | None:
    """The fewest items that see ``difference`` with chance ``wanted`` at the seeds there are.

    None where more than ``MOST_ITEMS`` would be needed: the seeds then vary too much; or where the noise is unknown.
    """
    noise = noise_of(spread)
    if noise is None or not difference:
        return None
    return _fewest(lambda n: power(noise.spread(spread.seeds, n), difference, level) >= wanted, 2, MOST_ITEMS)


def repeats_needed(
    first: Sequence[float], second: Sequence[float], ratio: float, wanted: float = POWER, level: float = LEVEL
) -> int | None:
    """The fewest measure runs of each of two arms that see ``ratio`` (1.02 is two percent) with chance ``wanted``.

    Takes the measurements that there are, all above 0. None where either was measured once, which shows no noise, and
    where more than ``MOST_REPEATS`` would be needed.
    """
    if min(len(first), len(second)) < 2:
        return None
    variances = np.array([[np.log(values).var(ddof=1) for values in (first, second)]])
    if not variances.any():  # a count of bytes may be the same every time
        return 2

    def sees(runs: int) -> bool:
        return _chance(WeightedT(variances / runs, np.full((1, 2), runs - 1.0)), float(np.log(ratio)), level) >= wanted

    return _fewest(sees, 2, MOST_REPEATS)


def smallest_difference(spread: Spread, wanted: float = POWER, level: float = LEVEL) -> float | None:
    """The smallest difference that is seen with chance ``wanted`` as things are; None where none up to 1 is."""
    if noise_of(spread) is None:
        return None
    steps = _fewest(lambda n: power(spread, n / 10_000, level) >= wanted, 1, 10_000)
    return None if steps is None else steps / 10_000


def _chance(error: WeightedT, difference: float, level: float) -> float:
    """To see a true difference that is measured with this one error."""
    size = abs(difference) / float(error.error[0])
    critical = -float(error.quantile(level / 2)[0])
    parts = error.parts[0]
    freedom = float(parts.sum() ** 2 / (parts**2 / error.freedom[0]).sum())
    missed, seen_backwards = np.nan_to_num(nctdtr(freedom, size, [critical, -critical]))  # NaN far out in a tail
    return float(1 - missed + seen_backwards)


def _fewest(enough: Callable[[int], bool], least: int, most: int) -> int | None:
    """The smallest n in [least, most] that is enough, where every larger one is as well."""
    if not enough(most):
        return None
    low, high = least, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low
