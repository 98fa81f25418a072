"""What the noise seen between arms lets the target score, memory and speed tell, and what more runs would."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from harness.analysis import effects
from harness.analysis.contender import Contender
from harness.analysis.power import (
    POWER,
    items_needed,
    noise_of,
    power,
    repeats_needed,
    seeds_needed,
    smallest_difference,
)
from harness.analysis.quantities import COSTS, MEASURED, shared_evals
from harness.analysis.spread import spread_of

COLUMNS = [
    *("pair", "seeds", "items", "difference", "sd_seeds", "sd_items", "sd_answers"),
    *("smallest", "power", "seeds_needed", "items_needed"),
]
REPEATS_COLUMNS = ["pair", "quantity", "first_runs", "second_runs", "ratio", "sd", "runs_needed"]


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


def repeats_table(pairs: Sequence[tuple[Contender, Contender]], ratio: float, wanted: float = POWER) -> pd.DataFrame:
    """A row a pair and quantity (``REPEATS_COLUMNS``) of memory and speed, where both arms were measured repeatedly.

    ``first_runs`` and ``second_runs`` are as many measure runs as there are; ``ratio`` is the first's mean over the
    second's; ``sd`` the standard deviation between an arm's runs, as a share; ``runs_needed`` of each arm would see the
    ratio asked for (1.02 is two percent) with chance ``wanted``, missing where no number does.
    """
    rows = [
        [n, name, len(one), len(other), *_repeated(one, other), repeats_needed(one, other, ratio, wanted)]
        for n, (first, second) in enumerate(pairs)
        for name in MEASURED
        for one, other in [(first.measurements(COSTS[name][0]), second.measurements(COSTS[name][0]))]
        if min(len(one), len(other)) > 1
    ]
    return pd.DataFrame(rows, columns=REPEATS_COLUMNS).astype({"runs_needed": float})


def _repeated(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """The ratio of the geometric means, and the standard deviation between runs: of the logarithms, a share."""
    logs = [np.log(values) for values in (first, second)]
    sd = np.sqrt(np.mean([values.var(ddof=1) for values in logs]))
    return float(np.exp(logs[0].mean() - logs[1].mean())), float(sd)


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
