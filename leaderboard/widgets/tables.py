"""How tables are shown and taken away."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from leaderboard.tables import Column


def show_table(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    *,
    key: str,
    select: bool = False,
    selected: int | None = None,
    whole: pd.DataFrame | None = None,
) -> int | None:
    """Show the columns of a frame, which may be a page of ``whole``, to whose scale its bars are drawn.

    With ``select`` returns the row that was clicked, at first the one that is ``selected``.
    """
    shown = frame[[column.name for column in columns]].reset_index(drop=True)
    default: Any = None if selected is None else {"selection": {"rows": [selected]}}
    event: Any = st.dataframe(
        shown,
        column_config={column.name: _config(column, shown if whole is None else whole) for column in columns},
        hide_index=True,
        width="stretch",
        key=f"table-{key}",
        on_select="rerun" if select else "ignore",
        selection_mode="single-row",
        selection_default=default,
    )
    rows = event.selection.rows if select else []
    return int(rows[0]) if rows and rows[0] < len(shown) else None


def downloads(frame: pd.DataFrame, columns: Sequence[Column], *, name: str) -> None:
    """Buttons that take the whole table away, as CSV and as JSON: numbers as they are, heads with their units."""
    whole = frame[[column.name for column in columns]].rename(columns={one.name: one.label for one in columns})
    left, right, _ = st.columns([1, 1, 6])
    left.download_button("CSV", lambda: csv(whole), f"{name}.csv", "text/csv", key=f"csv-{name}", width="stretch")
    right.download_button(
        "JSON", lambda: whole.to_json(orient="records", indent=1), f"{name}.json", "application/json",
        key=f"json-{name}", width="stretch",
    )  # fmt: skip


def csv(frame: pd.DataFrame) -> str:
    """The frame as CSV; a text that a spreadsheet would take for a formula begins with an apostrophe."""
    safe = frame.map(lambda value: f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" else value)
    text: str = safe.to_csv(index=False)
    return text


def _config(column: Column, shown: pd.DataFrame) -> Any:
    common: Mapping[str, Any] = {"label": column.label, "help": column.meaning}
    if column.form == "text":
        return st.column_config.TextColumn(**common)
    values = pd.to_numeric(shown[column.name])
    if column.form == "bar" and values.notna().any() and values.max() > 0:
        top = float(values.max())
        return st.column_config.ProgressColumn(
            **common, format=column.printf, min_value=min(0.0, float(values.min())), max_value=top
        )
    return st.column_config.NumberColumn(**common, format=column.printf)
