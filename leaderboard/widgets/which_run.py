"""Which run a page is about: the one that the address names, or one to choose by arm, rate and seed."""

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
        place = names["place"].iloc[controls.pick("Arm", list(names["row"]), at, key=f"arm-{here}", show=str)]
    own = runs[runs["place"] == place]
    with middle:
        rates = sorted(own["learning_rate"].dropna().unique())
        if rates and place == run["place"] and pd.notna(run["learning_rate"]):
            at = rates.index(run["learning_rate"])
            picked = rates[controls.pick("Learning rate", rates, at, key=f"rate-{here}", show=rate)]
            own = own[own["learning_rate"] == picked]
    with right:
        ids = list(own["run_id"])
        at = ids.index(here) if here in ids else 0
        told = own.apply(_told, axis=1).tolist()
        picked = ids[controls.pick("Seed and purpose", told, at, key=f"seed-{here}-{len(ids)}-{place}", show=str)]
    if picked != here:
        st.query_params["run"] = picked
        st.rerun()
    return run


def _told(run: "pd.Series[Any]") -> str:
    seed = "" if pd.isna(run["seed"]) else f"seed {run['seed']:g} · "
    return f"{seed}{run['purpose']} · {run['status']} · {str(run['started_at'])[:16].replace('T', ' ')}"
