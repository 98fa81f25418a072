"""Tables of figures: which columns, what their heads say on hovering, and how they are shown and taken away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import streamlit as st

from leaderboard.quantities import Quantity, names_of

Form = Literal["text", "number", "bar"]


@dataclass(frozen=True)
class Column:
    """A column of a frame: its ``label`` and unit, what it means, and how its numbers are written (printf)."""

    name: str
    label: str
    meaning: str
    form: Form = "text"
    printf: str = "%g"


def of_quantity(quantity: Quantity, bar: bool = False) -> Column:
    """The column of a quantity, drawn as a bar if asked for."""
    return Column(quantity.name, quantity.title, quantity.meaning, "bar" if bar else "number", quantity.printf)


def text(name: str, label: str, meaning: str) -> Column:
    """A column of words."""
    return Column(name, label, meaning)


def number(name: str, label: str, meaning: str, printf: str = "%g") -> Column:
    """A column of numbers that are in their unit."""
    return Column(name, label, meaning, "number", printf)


ARM = text("name", "arm", "The entry in the matrix, what it starts from, and its rank.")
BASE = text("base", "base", "The base model.")


def ends(quantities: Sequence[Quantity]) -> list[Column]:
    """The columns of the ends of the quantities' intervals."""
    return [
        number(name, f"{one.label} {'from' if n == 0 else 'to'}", "End of the 95 % interval.", one.printf)
        for one in quantities
        for n, name in enumerate(names_of(one)[1:])
    ]


def show_table(
    frame: pd.DataFrame, columns: Sequence[Column], *, key: str, select: bool = False, whole: pd.DataFrame | None = None
) -> int | None:
    """Show the columns of a frame, which may be a page of ``whole``, to whose scale its bars are drawn.

    With ``select`` returns the row that was clicked.
    """
    shown = frame[[column.name for column in columns]].reset_index(drop=True)
    event: Any = st.dataframe(
        shown,
        column_config={column.name: _config(column, shown if whole is None else whole) for column in columns},
        hide_index=True,
        width="stretch",
        key=f"table-{key}",
        on_select="rerun" if select else "ignore",
        selection_mode="single-row",
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
