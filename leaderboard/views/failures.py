"""What did not run, why, and at which size?"""

import pandas as pd
import streamlit as st

from leaderboard.pictures.failures import heatmap
from leaderboard.rows.arms import named
from leaderboard.rows.failures import ACROSS, COLUMNS, alike, placed, runs_and_failures
from leaderboard.scope import Scope
from leaderboard.widgets import controls, go
from leaderboard.widgets.filters import filtered
from leaderboard.widgets.saving import picture
from leaderboard.widgets.scope import page
from leaderboard.widgets.tables import downloads, show_table

PAGE = 100


def show(scope: Scope) -> None:
    """The page."""
    st.title("Failures")
    arms = filtered(named(scope.summary()))
    if arms.empty:
        st.info("No arm matches these filters.")
        return
    runs, failures = runs_and_failures(scope, arms)
    if failures.empty:
        st.success(f"Nothing failed: {(runs['status'] == 'ok').sum()} runs ended well.")
        return
    open_ones, mended = failures[~failures["mended"]], failures[failures["mended"]]
    if len(open_ones):
        _picture(runs, failures, arms)
        _table(open_ones, arms, "failures")
    else:
        st.success("Whatever failed was run again since, and ended well.")
    if len(mended):
        st.subheader("Mended since")
        st.caption("The same cells were run again later and ended well: nothing of these is missing.")
        _table(mended, arms, "mended")


def _picture(runs: pd.DataFrame, failures: pd.DataFrame, arms: pd.DataFrame) -> None:
    across = controls.choose("Across", list(ACROSS), key="across", show=lambda name: ACROSS[name])
    chart = heatmap(*placed(runs, failures, arms, across))
    if chart is not None:
        picture(chart, key="failures")
    st.caption(
        "Each square: how many runs of an entry failed, of all that ended there; the darker, the more of them. "
        "What failed and went well later is left out."
    )


def _table(failures: pd.DataFrame, arms: pd.DataFrame, name: str) -> None:
    rows = alike(failures, arms)
    shown = controls.page_of(rows, PAGE, key=f"{name}-page")
    picked = show_table(shown, COLUMNS, key=name, select=True)
    downloads(rows, COLUMNS, name=name)
    st.caption("Click the box at the left of a row to open its run, of several the newest.")
    if picked is not None:
        go.to_run(str(shown.iloc[picked]["run_id"]))


page(show)
