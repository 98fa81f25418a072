"""What one model answered to each item, before and after: what it won, what it lost."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

LOST, WON = "was right, now wrong", "was wrong, now right"
BOTH_RIGHT, BOTH_WRONG = "both right", "both wrong"
RIGHT, WRONG, NEITHER = "right", "wrong", "neither right nor wrong"
OUTCOMES = (LOST, WON, BOTH_WRONG, BOTH_RIGHT, RIGHT, WRONG, NEITHER)
COLUMNS = [
    *("eval_id", "number", "outcome", "correct_before", "correct_after", "answer_before", "answer_after"),
    *("choice_before", "choice_after", "likelihood_before", "likelihood_after"),
]
LIKELIEST = "acc"  # the metric that takes the likeliest choice as it is, whatever its length


def answers(after: pd.DataFrame, before: pd.DataFrame, metrics: Mapping[str, str]) -> pd.DataFrame:
    """A row an item (``COLUMNS``) of every eval in ``after``: rows of ``reader.items`` of one run and moment, one an
    eval; ``before`` those of what it is compared with. ``metrics`` says each eval's metric.

    ``number`` counts an eval's items from 1. ``answer_*`` are texts that were generated, ``choice_*`` which choice was
    the likeliest (from 0), ``likelihood_*`` the log-likelihood of a text in nats; what an eval does not have is None
    or NaN. ``outcome`` is one of ``OUTCOMES``.
    """
    earlier = {row["eval_id"]: row for row in before.to_dict("records")}
    found = [
        _of_eval(row, earlier.get(row["eval_id"]), metrics.get(row["eval_id"], "")) for row in after.to_dict("records")
    ]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=COLUMNS)


def _of_eval(after: Mapping[Any, Any], before: Mapping[Any, Any] | None, metric: str) -> pd.DataFrame:
    size = _size(after)
    if before is not None and _size(before) != size:
        before = None  # an id holds for the same items: this can't be compared
    table = {"eval_id": after["eval_id"], "number": np.arange(1, size + 1)}
    for end, row in (("before", before), ("after", after)):
        table[f"correct_{end}"] = _correct(row, size)
        table[f"answer_{end}"] = _texts(row, size)
        table[f"choice_{end}"], table[f"likelihood_{end}"] = _likelihoods(row, size, metric)
    frame = pd.DataFrame(table)
    frame["outcome"] = _outcomes(frame["correct_before"].to_numpy(), frame["correct_after"].to_numpy())
    return frame[COLUMNS]


def _size(row: Mapping[Any, Any]) -> int:
    return max((len(row[name]) for name in ("correct", "values", "answers") if row.get(name) is not None), default=0)


def _correct(row: Mapping[Any, Any] | None, size: int) -> Any:
    known = None if row is None else row.get("correct")
    return np.full(size, np.nan) if known is None else np.asarray(known, dtype=float)


def _texts(row: Mapping[Any, Any] | None, size: int) -> list[str | None]:
    known = None if row is None else row.get("answers")
    return [None] * size if known is None else list(known)


def _likelihoods(row: Mapping[Any, Any] | None, size: int, metric: str) -> tuple[Any, Any]:
    """The likeliest of several choices; of a single text, its log-likelihood."""
    choice, alone = np.full(size, np.nan), np.full(size, np.nan)
    if row is None or row.get("values") is None or row.get("answers") is not None:
        return choice, alone
    for n, values in enumerate(row["values"]):
        if len(values) == 1:
            alone[n] = values[0]
        elif values and metric == LIKELIEST:
            choice[n] = int(np.argmax(values))
    return choice, alone


def _outcomes(before: Any, after: Any) -> Any:
    known, both = ~np.isnan(after), ~np.isnan(before) & ~np.isnan(after)
    was, now = before == 1, after == 1
    return np.select(
        [both & was & ~now, both & ~was & now, both & now, both, known & now, known],
        [LOST, WON, BOTH_RIGHT, BOTH_WRONG, RIGHT, WRONG],
        NEITHER,
    )
