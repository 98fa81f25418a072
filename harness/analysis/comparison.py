"""Two arms side by side, on the items and seeds that they share: what differs, by how much, and what can be said of it.

A difference in points is a paired difference of outcomes (``spread``, ``uncertainty``); with one seed McNemar's exact
test of the items. P values are corrected over every test of the call.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from harness.analysis.contender import Contender
from harness.analysis.corrections import LEVEL, Correction, holm
from harness.analysis.mcnemar import mcnemar
from harness.analysis.quantities import Quantity, quantities
from harness.analysis.spread import Block, Spread, spread_of
from harness.analysis.uncertainty import Interval, difference_intervals
from harness.analysis.verdicts import Verdict, judge

COLUMNS = [
    *("pair", "quantity", "kind", "role", "metric", "unit", "first", "second", "difference"),
    *("difference_low", "difference_high", "p_value"),
    *("p_corrected", "seeds", "items", "flag", "verdict", "more_seeds", "note"),
]
_FIGURES = ["first", "second", "difference", "difference_low", "difference_high", "p_value", "p_corrected"]


def compare_arms(
    pairs: Sequence[tuple[Contender, Contender]], correct: Correction = holm, difference: float | None = None
) -> pd.DataFrame:
    """Every quantity of every pair, a row each (``COLUMNS``); ``pair`` is the pair's place in ``pairs``.

    ``first`` and ``second`` are the two values; ``difference`` is first minus second in shares of 1 (``unit`` points)
    or first over second (``unit`` ratio), with the ends of its 95 % interval. ``p_corrected`` is corrected over all
    rows; those of a pair that test the same answers count once. ``more_seeds`` says how many more would tell the
    difference seen, or ``difference`` (a share of 1) where it is given. A pair without a common eval has costs alone.
    """
    found = [(n, one) for n, pair in enumerate(pairs) for one in quantities(*pair)]
    names, rows = [n for n, _ in found], [one for _, one in found]
    spreads = [spread_of(row.blocks) if row.blocks else row.spread for row in rows]
    intervals = _intervals(rows, spreads)
    keys = [(n, row.tested) for n, row in zip(names, rows, strict=True)]
    p_corrected, tests = _corrected(keys, intervals, correct)
    level = LEVEL / max(1, tests)
    verdicts = [
        judge(interval, row.unit, row.better, p, spread, level, difference)
        for row, interval, p, spread in zip(rows, intervals, p_corrected, spreads, strict=True)
    ]
    values = map(_values, names, rows, intervals, p_corrected, verdicts)
    return pd.DataFrame(list(values), columns=COLUMNS).astype(dict.fromkeys(_FIGURES, float))


def _intervals(rows: Sequence[Quantity], spreads: Sequence[Spread | None]) -> list[Interval | None]:
    """Each row's interval: its own, or that of its differences, all of which are found at once."""
    found = iter(difference_intervals([spread for spread in spreads if spread]))
    pairs = zip(rows, spreads, strict=True)
    return [_exact(next(found), row.blocks) if spread else row.interval for row, spread in pairs]


def _exact(interval: Interval, blocks: list[Block]) -> Interval:
    """With one model on each side and right or wrong for each item, the exact test says what the items say."""
    applies = interval.seeds == 1 and interval.items > 1 and len(blocks) == 1
    if applies and np.isin(blocks[0], (-1.0, 0.0, 1.0)).all():
        return replace(interval, p_value=mcnemar(blocks[0]))
    return interval


def _corrected(
    keys: Sequence[tuple[object, ...]], intervals: Sequence[Interval | None], correct: Correction
) -> tuple[list[float | None], int]:
    """Each row's corrected p value, and the number of tests; rows of the same key are one test."""
    p_values = {key: i.p_value for key, i in zip(keys, intervals, strict=True) if i and i.p_value is not None}
    corrected = dict(zip(p_values, correct(list(p_values.values())), strict=True))
    known = [bool(i and i.p_value is not None) for i in intervals]
    return [float(corrected[key]) if there else None for key, there in zip(keys, known, strict=True)], len(p_values)


def _values(pair: int, row: Quantity, interval: Interval | None, p: float | None, verdict: Verdict) -> list[object]:
    i = interval or Interval(np.nan)
    about = [pair, row.name, row.kind, row.role, row.metric, row.unit, row.first, row.second]
    tested = [i.estimate, i.low, i.high, i.p_value, p, i.seeds or None, i.items or None, i.flag]
    note = "; ".join(part for part in (row.note, verdict.note) if part) or None
    return [*about, *tested, verdict.words, verdict.more_seeds, note]
