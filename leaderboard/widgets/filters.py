"""Which arms a page shows: the same filters under the same names in the address on every page that has them."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from leaderboard.widgets import controls

LABELS = {"base": "Base", "method": "Method", "rank": "Rank", "status": "Status"}
USUAL = ("base", "method")


def filtered(arms: pd.DataFrame, columns: Sequence[str] = USUAL, search: bool = False) -> pd.DataFrame:
    """Ask for values of the columns, and with ``search`` for words, side by side; the rows that have them."""
    places = st.columns(len(columns) + search)
    for place, name in zip(places, columns, strict=False):
        options = sorted({_said(value) for value in arms[name]}, key=_by_number)
        with place:
            wanted = controls.choose_several(LABELS[name], options, key=name)
        if wanted:
            arms = arms[arms[name].map(_said).isin(wanted)]
    if search:
        with places[-1]:
            arms = _found(arms, controls.search("Search", key="q").lower().split())
    return arms


def _found(arms: pd.DataFrame, words: Sequence[str]) -> pd.DataFrame:
    text = (arms["name"] + " " + arms["base"] + " " + arms["method"]).str.lower()
    for word in words:
        arms = arms[text.loc[arms.index].str.contains(word, regex=False)]
    return arms


def _said(value: object) -> str:
    if value is None or value != value:
        return "none"
    return f"{value:g}" if isinstance(value, float | int) else str(value)


def _by_number(text: str) -> tuple[float, str]:
    return (float(text), "") if text.replace(".", "", 1).isdigit() else (float("inf"), text)
