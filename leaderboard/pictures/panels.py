"""Pictures whose specification is made once, without rows, and drawn of the rows of each."""

import json
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from leaderboard.pictures import AnyChart


@dataclass(frozen=True)
class Panel:
    """A picture, or one of several that are alike: its title if it has one, its specification, and its own rows."""

    title: str
    spec: dict[str, Any]
    rows: pd.DataFrame

    def drawn(self) -> dict[str, Any]:
        """The specification with its rows beside it, as Streamlit takes it: rows that are given apart come later, and
        Vega warns of a picture without any."""
        return {**self.spec, "data": {"name": "rows"}, "datasets": {"rows": self.rows}}

    def whole(self) -> dict[str, Any]:
        """The specification with its rows in it."""
        values = json.loads(self.rows.to_json(orient="records"))
        titled = {"title": self.title} if self.title else {}
        return {**self.spec, "data": {"values": values}, **titled}


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
    return [Panel(str(title), _drawable(spec, own), own[shown]) for title, own in rows.groupby(by, sort=False)]


def _drawable(spec: dict[str, Any], rows: pd.DataFrame) -> dict[str, Any]:
    """The specification without the layers that have nothing to draw of these rows: Vega warns of their scales."""
    if "layer" not in spec:
        return spec
    empty = set(rows.columns[rows.isna().all()])
    layers = [_drawable(layer, rows) for layer in spec["layer"]]
    return {**spec, "layer": [one for one in layers if one.get("layer") != [] and not _places(one) & empty]}


def _places(layer: dict[str, Any]) -> set[str]:
    """The fields that say where a layer's marks stand."""
    channels = (channel for name, channel in layer.get("encoding", {}).items() if name in ("x", "x2", "y", "y2"))
    return {channel["field"] for channel in channels if "field" in channel}
