"""What did not run, why, and at which size?"""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from harness.analysis.failures import grouped, tried
from harness.report.words import rate
from leaderboard import controls, go, tables
from leaderboard.arms import named
from leaderboard.filters import filtered
from leaderboard.pictures.failures import heatmap
from leaderboard.quantities import BASE_SIZE, fitted, in_units
from leaderboard.scope import Scope, page

ARM = ["section", "arm_id"]
ACROSS = {"base": "base, smallest first", "learning_rate": "learning rate", "status": "how it failed"}
PAGE = 100
COLUMNS = (
    tables.text("row", "arm", "The entry in the matrix, what it starts from, and its rank."),
    tables.BASE,
    tables.text("rate", "rate", "Learning rate."),
    tables.text("seeds", "seeds", "The seeds that failed alike."),
    tables.number("runs", "runs", "How many runs failed alike.", "%d"),
    tables.text("purpose", "run", "quality: trained and scored; measure: alone on the device."),
    tables.text("status", "ended as", "oom: out of memory; nan: the loss was no number; refused: not on this machine; "
                "blocked: what it starts from failed."),
    tables.text("failed_phase", "while", "The phase in which it ended."),
    tables.text("reason", "why", "The first line of what was said."),
)  # fmt: skip


def show(scope: Scope) -> None:
    """The page."""
    st.title("Failures")
    arms = filtered(named(scope.summary()))
    if arms.empty:
        st.info("No arm matches these filters.")
        return
    parts = list(enumerate(part for _, part in scope.parts()))
    runs = _of(arms, [part.frames.runs.assign(section=n) for n, part in parts])
    failures = _of(arms, [part.failures.assign(section=n) for n, part in parts])
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


def _of(arms: pd.DataFrame, frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of these arms."""
    rows = pd.concat([frame for frame in frames if len(frame)] or frames, ignore_index=True)
    mine = pd.MultiIndex.from_frame(rows[ARM]).isin(pd.MultiIndex.from_frame(arms[ARM]))
    return rows[mine]


def _picture(runs: pd.DataFrame, failures: pd.DataFrame, arms: pd.DataFrame) -> None:
    across = controls.choose("Across", list(ACROSS), key="across", show=lambda name: ACROSS[name])
    found = tried(runs, failures, across)
    found, order = _placed(found, across, arms)
    chart = heatmap(found, ACROSS[across], order)
    if chart is not None:
        st.altair_chart(chart, key="failures")
    st.caption(
        "Each square: how many runs of an entry failed, of all that ended there; the darker, the more of them. "
        "What failed and went well later is left out."
    )


def _placed(found: pd.DataFrame, across: str, arms: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """With ``place``, what a square stands under, and the places in order."""
    if across == "learning_rate":
        found = found.sort_values(across).assign(place=lambda table: table[across].map(_rate))
    elif across == "base":
        size = fitted(BASE_SIZE, arms)
        sizes = in_units(arms, [size]).groupby("base")[BASE_SIZE.name].max()
        found = found.assign(size=found["base"].map(sizes)).sort_values("size")
        told = "\u00a0(" + found["size"].map(f"{{:.{size.decimals}f}} {size.unit.split()[0]}".format) + ")"
        found["place"] = found["base"].map(controls.short) + told.where(found["size"].notna(), "")
    else:
        found = found.assign(place=found[across])
    return found, list(dict.fromkeys(found["place"]))


def _table(failures: pd.DataFrame, arms: pd.DataFrame, name: str) -> None:
    groups = [grouped(own).assign(section=section) for section, own in failures.groupby("section")]
    rows = pd.concat(groups, ignore_index=True).merge(arms[[*ARM, "row"]], "left", ARM)
    rows["rate"] = rows["learning_rate"].map(_rate)
    shown = controls.page_of(rows, PAGE, key=f"{name}-page")
    picked = tables.show_table(shown, COLUMNS, key=name, select=True)
    tables.downloads(rows, COLUMNS, name=name)
    st.caption("Click the box at the left of a row to open its run, of several the newest.")
    if picked is not None:
        go.to_run(str(shown.iloc[picked]["run_id"]))


def _rate(value: float) -> str:
    return "none" if pd.isna(value) else rate(value)


page(show)
