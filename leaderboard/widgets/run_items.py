"""The items of a run: what was asked, what is right, what was answered before and after, and what was lost and won."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from harness.analysis.answers import OUTCOMES
from harness.identity import digest
from leaderboard import cache
from leaderboard.pictures import run as pictures
from leaderboard.results import SectionKey
from leaderboard.rows.items import item_columns
from leaderboard.rows.run import HASHED, OneRun
from leaderboard.tables import Column
from leaderboard.widgets import controls
from leaderboard.widgets.saving import picture
from leaderboard.widgets.tables import downloads, show_table

ITEMS_PAGE = 50


def show_items(key: SectionKey, found: OneRun) -> None:
    """What the run answered, item by item; says so where it was asked nothing."""
    moments = list(dict.fromkeys(found.items["moment"]))
    if not moments:
        st.info("No items were kept of this run." if len(found.scores) else found.why_unscored)
        return
    first = next((moment for moment in ("tuned", "prompted", "base") if moment in moments), moments[0])
    moment = controls.choose("Moment", moments, key="moment", default=first) if len(moments) > 1 else first
    rows, problems = cache.items(key, str(found.run["run_id"]), moment)
    counts = rows.groupby(["task", "outcome"], as_index=False).size().rename(columns={"size": "items"})
    chart = pictures.outcomes(counts, list(OUTCOMES))
    if chart is not None:
        picture(chart, key="outcomes")
    compared = found.base_items["eval_id"].isin(rows["eval_id"]).any()
    st.caption(f"What became of each item{', from the base to this run' if compared else ''}. Tasks that ask for a "
               "likelihood have no right and wrong.")  # fmt: skip
    for problem in problems:
        st.info(controls.plain(f"No texts, but item numbers and outcomes: {problem}."))
    if rows["after"].str.startswith(HASHED).any():
        st.info("These results were published without what the models generated: such answers are hashes; equal ones "
                "are equal answers.")  # fmt: skip
    if moment == "prompted":
        st.caption("The examples that stood before each question are left out here.")
    wanted = _filtered(rows)
    columns = item_columns(moment, compared)
    picked = _item_table(controls.page_of(wanted, ITEMS_PAGE, key="items"), wanted, columns)
    for _, row in rows[_names(rows) == picked].head(1).iterrows():
        for column in columns[3:]:
            st.text(column.label)
            st.code(row[column.name] or " ", language=None, wrap_lines=True)


def _filtered(rows: pd.DataFrame) -> pd.DataFrame:
    left, middle, right = st.columns(3)
    with left:
        there = [outcome for outcome in OUTCOMES if (rows["outcome"] == outcome).any()]
        outcomes = controls.choose_several("Outcome", there, key="outcome")
    with middle:
        tasks = controls.choose_several("Task", list(dict.fromkeys(rows["task"])), key="task")
    with right:
        words = controls.search("Search", key="q", placeholder="in prompts and answers").lower().split()
    if outcomes:
        rows = rows[rows["outcome"].isin(outcomes)]
    if tasks:
        rows = rows[rows["task"].isin(tasks)]
    text = (rows["prompt"] + " " + rows["expected"] + " " + rows["before"] + " " + rows["after"]).str.lower()
    for word in words:
        rows = rows[text.loc[rows.index].str.contains(word, regex=False)]
    return rows


def _item_table(shown: pd.DataFrame, wanted: pd.DataFrame, columns: Sequence[Column]) -> str | None:
    """Show a page of the items; returns the name of the one to read whole, which is kept in the address."""
    opened = st.query_params.get("item")
    if shown.empty:
        st.info("No item matches these filters.")
        return opened
    names = list(_names(shown))
    at = names.index(opened) if opened in names else None
    # a table of other items is another table, in which nothing has been clicked
    picked = show_table(shown, columns, key=f"items-{digest('items', names)}", select=True, selected=at)
    downloads(wanted, columns, name="items")
    st.caption("Of choices the likeliest is the answer. Click the box at the left of a row to read it whole.")
    if picked is not None:
        opened = st.query_params["item"] = names[picked]
    elif at is not None:  # closed by whoever had opened it
        del st.query_params["item"]
        opened = None
    return opened


def _names(rows: pd.DataFrame) -> "pd.Series[str]":
    """What the address calls an item: its task and its number."""
    return rows["task"] + " " + rows["number"].astype(str)
