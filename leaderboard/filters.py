"""Which arms a page is about: the same filters on several pages, kept in the address."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from leaderboard import controls

LABELS = {"base": "Base", "method": "Method"}


def filtered(arms: pd.DataFrame, names: Sequence[str] = ("base", "method")) -> pd.DataFrame:
    """The arms of the chosen values of these columns; all where none is chosen."""
    for place, name in zip(st.columns(len(names)), names, strict=True):
        with place:
            wanted = controls.choose_several(LABELS[name], sorted(arms[name].astype(str).unique()), key=name)
        if wanted:
            arms = arms[arms[name].astype(str).isin(wanted)]
    return arms
