"""From one page to another, with what it is to show in the address."""

from typing import Any

import pandas as pd
import streamlit as st

from leaderboard import cache
from leaderboard.scope import Scope


def to_arm(scope: Scope, arm: "pd.Series[Any]") -> None:
    """Open the run that stands for an arm of the leaderboard's frame: at its chosen rate, of its first seed."""
    key = scope.sections[int(arm["section"])]
    runs = cache.part(key).frames.runs
    own = runs[(runs["arm_id"] == arm["arm_id"]) & (runs["purpose"] == "quality")]
    best = own.sort_values(["chosen", "rate_chosen", "seed"], ascending=[False, False, True]).head(1)
    if len(best):
        to_run(str(best.iloc[0]["run_id"]))


def to_run(run_id: str) -> None:
    """Open one run of a section; which results were chosen stays in the address, being bound to the sidebar."""
    st.switch_page("views/run.py", query_params={"run": run_id})
