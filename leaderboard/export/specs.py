"""Charts as JSON that stands in the page: the same each time, with no more data than is drawn, and no way out of it."""

import json
import re
from typing import Any

import altair as alt

from leaderboard.pictures import AnyChart
from leaderboard.pictures.panels import Panel

_NUMBERED = re.compile(r"(view|param|layer|concat)_\d+")
_SEVERAL = ("hconcat", "vconcat", "concat", "facet", "repeat")


def spec(chart: AnyChart | Panel) -> str:
    """The chart as JSON that no ``<`` leaves; as wide as the page where it has no width of its own."""
    if isinstance(chart, Panel):
        return panel_spec(chart)
    with alt.data_transformers.disable_max_rows():
        found: dict[str, Any] = chart.to_dict()
    data = found.pop("datasets", {})
    found = _settled(found)
    found["datasets"] = {name: _drawn(rows, found) for name, rows in data.items()}
    return within(found)


def panel_spec(panel: Panel) -> str:
    """The same of a specification and its rows."""
    found = _settled(panel.spec)
    rows = json.loads(panel.rows.to_json(orient="records", double_precision=15))
    return within(found | {"data": {"values": _drawn(rows, found)}})


def within(value: Any) -> str:
    """JSON as it stands in a ``<script>``: nothing in it ends the element or opens another, and it is all of ASCII."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _settled(found: dict[str, Any]) -> dict[str, Any]:
    found = _renumbered(found, {})
    if "width" in found or any(key in found for key in _SEVERAL):
        return found
    return found | {"width": "container", "autosize": {"type": "fit", "contains": "padding"}}


def _drawn(rows: list[dict[str, Any]], spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields that the chart names."""
    told = json.dumps(spec, ensure_ascii=False)
    kept = {name for row in rows[:1] for name in row if name in told}
    return [{name: value for name, value in row.items() if name in kept} for row in rows]


def _renumbered(value: Any, names: dict[str, str]) -> Any:
    """Altair numbers views and parameters on from chart to chart: here from 1, by their order."""
    if isinstance(value, list):
        return [_renumbered(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _named(key, item, names) for key, item in value.items()}


def _named(key: str, value: Any, names: dict[str, str]) -> Any:
    if key in ("name", "param") and isinstance(value, str) and _NUMBERED.fullmatch(value):
        return names.setdefault(value, f"{value.partition('_')[0]}_{len(names) + 1}")
    if key == "views":
        return [_named("name", item, names) for item in value]
    return _renumbered(value, names)
