"""What the noise seen between arms lets the target score tell, and what more seeds or items would."""

from collections.abc import Sequence

import pandas as pd

from harness.analysis import effects
from harness.analysis.contender import Contender
from harness.analysis.power import POWER, items_needed, noise_of, power, seeds_needed, smallest_difference
from harness.analysis.quantities import shared_evals
from harness.analysis.spread import spread_of

COLUMNS = [
    *("pair", "seeds", "items", "difference", "sd_seeds", "sd_items", "sd_answers"),
    *("smallest", "power", "seeds_needed", "items_needed"),
]


def power_table(pairs: Sequence[tuple[Contender, Contender]], difference: float, wanted: float = POWER) -> pd.DataFrame:
    """A row a pair (``COLUMNS``), of their difference in the mean over the target tasks that they share.

    ``difference`` is what was seen, first minus second; ``sd_seeds``, ``sd_items`` and ``sd_answers`` are the standard
    deviations of that difference between seeds, between items, and of what is left of one answer; ``smallest`` is the
    difference that is seen with chance ``wanted`` as things are; ``power`` the chance to see the ``difference`` asked
    for; ``seeds_needed`` at the items there are and ``items_needed`` at the seeds there are see that with chance
    ``wanted`` (missing where no number does). All in shares of 1, for one test at level 0.05. A pair of one seed or of
    scores without items has no noise to go by.
    """
    rows = [[n, *_row(first, second, difference, wanted)] for n, (first, second) in enumerate(pairs)]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"seeds_needed": float, "items_needed": float})


def _row(first: Contender, second: Contender, difference: float, wanted: float) -> list[float | None]:
    facts = first.side.section.test_evals
    target = [one for one in shared_evals(first, second) if facts[one].role == "target" and facts[one].higher_is_better]
    outcomes = [[contender.outcomes(eval_id) for eval_id in target] for contender in (first, second)]
    blocks = effects.differences(*outcomes) if target else []
    if not blocks:
        return [None] * (len(COLUMNS) - 1)
    spread = spread_of(blocks)
    noise = noise_of(spread)
    seen: list[float | None] = [spread.seeds, spread.items, spread.mean]
    if noise is None:
        return [*seen, *[None] * (len(COLUMNS) - 4)]
    needed = seeds_needed(spread, difference, wanted), items_needed(spread, difference, wanted)
    noises = (noise.seed**0.5, noise.item**0.5, noise.residual**0.5)
    return [*seen, *noises, smallest_difference(spread, wanted), power(spread, difference), *needed]
