"""Runs in progress, and the page made anew when something has been written."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import streamlit as st

from harness.naming import arm_name
from leaderboard import cache, results
from leaderboard.results import Listing
from leaderboard.texts import short
from leaderboard.widgets.controls import plain

EVERY_SECONDS = 3.0
STALE_SECONDS = 120.0


def watch(sources: Callable[[], Sequence[Path]], listings: Sequence[Listing]) -> None:
    """Show what is running, look again every few seconds, and run the page again where something has ended, or where
    there are other sources."""

    @st.fragment(run_every=EVERY_SECONDS)
    def look() -> None:
        if list(sources()) != [one.path for one in listings]:
            st.rerun()
        for one in listings:
            if cache.listing(one.path).sections != one.sections:
                st.rerun()
            if one.kind == "file" and not one.problem:
                _show(one.path, results.under_way(one.path))

    look()


def _show(path: Path, runs: pd.DataFrame) -> None:
    alive = [row for row in runs.to_dict("records") if _alive(row["heartbeat_at"] or row["started_at"])]
    if not alive:
        return
    running = [row for row in alive if row["status"] == "running"]
    st.caption(f"{plain(path.name)}: {len(running)} running, {len(alive) - len(running)} queued")
    for row in running[:8]:
        rank = None if pd.isna(row["rank"]) else row["rank"]
        name = arm_name(str(row["label"]), None, rank)
        st.text(short(f"{name} · {row['base']} · seed {row['seed']:g} · {row['purpose']}", 60))


def _alive(when: str) -> bool:
    """Whether a run was heard of lately: a runner that was killed leaves its rows behind."""
    return (datetime.now(UTC) - datetime.fromisoformat(when)).total_seconds() < STALE_SECONDS
