"""What the pictures' axes and tooltips have in common."""

from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt
import pandas as pd

from leaderboard.quantities import Quantity, names_of

LONGEST_LABEL = 180  # pixels


def x(quantity: Quantity, log: bool = False, zero: bool = False) -> alt.X:
    """A quantity along the bottom."""
    return alt.X(f"{quantity.name}:Q", title=quantity.title, scale=_scale(log, zero))


def y(quantity: Quantity, log: bool = False, zero: bool = False) -> alt.Y:
    """A quantity up the side."""
    return alt.Y(f"{quantity.name}:Q", title=quantity.title, scale=_scale(log, zero))


def names(field: str, order: Sequence[str]) -> alt.Y:
    """One line for each name of ``field`` in this order, from the top, its name beside it."""
    axis = alt.Axis(labelLimit=LONGEST_LABEL, labelOverlap=False, labelFlush=False, ticks=False, domain=False)
    return alt.Y(f"{field}:N", sort=list(order), title=None, axis=axis, scale=alt.Scale(domain=list(order)))


def tooltips(words: Sequence[tuple[str, str]], quantities: Iterable[Quantity], frame: pd.DataFrame) -> list[Any]:
    """What is read on hovering: fields of text as (field, title), then each quantity that the frame has."""
    told = [alt.Tooltip(f"{field}:N", title=title) for field, title in words if field in frame]
    for quantity in quantities:
        for name in names_of(quantity):
            if name in frame and frame[name].notna().any():
                told.append(alt.Tooltip(f"{name}:Q", title=_said(quantity, name), format=quantity.d3))
    return told


def known(frame: pd.DataFrame, *columns: str) -> bool:
    """Whether some row has a value in each of the columns: Vega warns of a scale over a field that no row has."""
    return all(name in frame and frame[name].notna().any() for name in columns)


def spoken_of(frame: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """The frame with these columns alone, where it has them: each one more is carried into the page."""
    return frame[[name for name in dict.fromkeys(columns) if name in frame]]


def positive(frame: pd.DataFrame, quantity: Quantity, log: bool) -> pd.DataFrame:
    """The rows that an axis can show: those with a value, above zero where it is logarithmic."""
    values = frame[quantity.name]
    return frame[values.notna() & ((values > 0) | (not log))]


def _said(quantity: Quantity, name: str) -> str:
    if name == quantity.name:
        return quantity.title
    return f"{quantity.label}, {'lower' if name.endswith('_low') else 'upper'} end of 95 %"


def _scale(log: bool, zero: bool) -> alt.Scale:
    return alt.Scale(type="log", nice=False, padding=12) if log else alt.Scale(zero=zero, padding=12)
