"""Which run a page is about: the one that the address names, or one to choose by arm, rate and seed."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from harness.report.words import rate
from harness.store.schema import UNFINISHED
from leaderboard.scope import Scope
from leaderboard.widgets import controls


def runs_of(scope: Scope, arms: pd.DataFrame) -> pd.DataFrame:
    """The runs of every section that have ended, best ones first within an arm, with the arm's ``row`` and place."""
    frames = [part.frames.runs.assign(section=n) for n, (_, part) in enumerate(scope.parts())]
    runs = pd.concat([frame for frame in frames if len(frame)] or frames, ignore_index=True)
    places = arms[["section", "arm_id", "row", "name"]].assign(place=range(len(arms)))
    runs = runs[~runs["status"].isin(UNFINISHED)].merge(places, on=["section", "arm_id"])
    runs["quality"] = runs["purpose"] == "quality"
    runs["ok"] = runs["status"] == "ok"
    order = ["place", "chosen", "rate_chosen", "quality", "ok", "seed", "started_at"]
    return runs.sort_values(order, ascending=[True, False, False, False, False, True, False], ignore_index=True)


def choose_run(runs: pd.DataFrame) -> "pd.Series[Any]":
    """The run that the address names, else the first; other ones to choose by arm, rate and seed."""
    wanted = st.query_params.get("run")
    found = runs[runs["run_id"] == wanted]
    if wanted and found.empty:
        st.warning("The address names a run that is not in the chosen results; this is another one.")
    run = (found if len(found) else runs).iloc[0]
    here = str(run["run_id"])
    left, middle, right = st.columns([3, 1, 3])
    with left:
        names = runs.drop_duplicates("place")
        at = int((names["place"] < run["place"]).sum())
        controls.pick("Arm", list(names["row"]), at, key=f"arm-{here}", show=str, then=_opens(names["run_id"]))
    own = runs[runs["place"] == run["place"]]
    with middle:
        if pd.notna(run["learning_rate"]):
            tried = own.drop_duplicates("learning_rate").dropna(subset="learning_rate").sort_values("learning_rate")
            rates = list(tried["learning_rate"])
            at = rates.index(run["learning_rate"])
            controls.pick("Learning rate", rates, at, key=f"rate-{here}", show=rate, then=_opens(tried["run_id"]))
            own = own[own["learning_rate"] == run["learning_rate"]]
    with right:
        told, at = own.apply(_told, axis=1).tolist(), list(own["run_id"]).index(here)
        controls.pick("Seed and purpose", told, at, key=f"seed-{here}", show=str, then=_opens(own["run_id"]))
    return run


def _opens(run_ids: "pd.Series[Any]") -> Callable[[int], None]:
    """Opens one of these runs, by its place."""

    def open_(place: int) -> None:
        st.query_params["run"] = str(run_ids.iloc[place])

    return open_


def _told(run: "pd.Series[Any]") -> str:
    seed = "" if pd.isna(run["seed"]) else f"seed {run['seed']:g} · "
    return f"{seed}{run['purpose']} · {run['status']} · {str(run['started_at'])[:16].replace('T', ' ')}"
