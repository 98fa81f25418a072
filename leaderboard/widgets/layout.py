"""How things are laid out on a page: beside each other where there is room, under each other on a narrow screen."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import altair as alt
import pandas as pd
import streamlit as st

from leaderboard.pictures import AnyChart
from leaderboard.widgets import controls
from leaderboard.widgets.saving import keep

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Panel:
    """One of several pictures that are alike: its title, its specification (``spec_of``), and its own rows."""

    title: str
    spec: dict[str, Any]
    rows: pd.DataFrame

    def whole(self) -> dict[str, Any]:
        """The specification with its rows in it."""
        values = json.loads(self.rows.to_json(orient="records"))
        return {**self.spec, "data": {"values": values}, "title": self.title}


def beside(things: Iterable[Thing], columns: int = 2) -> Iterator[tuple[Any, Thing]]:
    """Each of the things with a place for it, ``columns`` to a row."""
    several = list(things)
    for first in range(0, len(several), columns):
        yield from zip(st.columns(columns), several[first : first + columns], strict=False)


def spec_of(chart: AnyChart) -> dict[str, Any]:
    """A chart without its rows: making it costs a tenth of a second, drawing it of other rows nothing."""
    bare = chart.copy(deep=False)
    bare.data = alt.NamedData(name="rows")
    spec = bare.to_dict(validate=False)  # the pictures' tests validate
    return {name: value for name, value in spec.items() if name not in ("data", "datasets")}


def panels(chart: AnyChart | None, rows: pd.DataFrame, by: str) -> list[Panel]:
    """A chart of all rows as one panel for each value of ``by``, with the columns that it speaks of; none without a
    chart."""
    if chart is None:
        return []
    spec = spec_of(chart)
    words = json.dumps(spec)
    shown = [name for name in rows if str(name) in words]
    return [Panel(str(title), spec, own[shown]) for title, own in rows.groupby(by, sort=False)]


def draw(several: Sequence[Panel], *, key: str, say: str, columns: int = 2) -> None:
    """Draw panels beside each other; ``say`` tells what they show to those who can't see it."""
    for n, (place, panel) in enumerate(beside(several, columns)):
        place.markdown(f"**{controls.plain(panel.title)}**")
        keep(f"{key} {panel.title}", panel.whole)
        place.vega_lite_chart(panel.rows, panel.spec, width="stretch", key=f"{key}-{n}", alt=f"{say}: {panel.title}")
