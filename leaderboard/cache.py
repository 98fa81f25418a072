"""What is worked out once for all visitors: kept by a source's version and a section's key, so never out of date.

What these return is shared between visitors: it is read, never changed.
"""

from pathlib import Path

import pandas as pd
import streamlit as st

from harness.analysis.memory import components, peaks, predicted
from harness.analysis.summary import summarise
from harness.sections import Part
from leaderboard import results, runs
from leaderboard.results import Listing, SectionKey, Version
from leaderboard.runs import OneRun

SECTIONS = 24  # of which frames are kept; the oldest make room


def listing(path: Path) -> Listing:
    """See ``results.list_source``."""
    return _listing(path, results.version(path))


@st.cache_resource(max_entries=64, show_spinner="reading the results")
def _listing(path: Path, _version: Version) -> Listing:
    return results.list_source(path)


@st.cache_resource(max_entries=SECTIONS, show_spinner="reading the runs")
def part(key: SectionKey) -> Part:
    """See ``results.read_part``."""
    return results.read_part(key)


@st.cache_resource(max_entries=10 * SECTIONS, show_spinner="comparing the arms")
def summary(key: SectionKey) -> pd.DataFrame:
    """See ``summary.summarise``."""
    return summarise(part(key).frames)


@st.cache_resource(max_entries=10 * SECTIONS, show_spinner="counting the bytes")
def memory(key: SectionKey) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The section's ``memory.peaks``, their ``components``, and what was ``predicted``."""
    found = peaks(part(key).frames.phases)
    return found, components(found), predicted(found, results.read_predictions(key))


@st.cache_resource(max_entries=64, show_spinner="reading the run")
def run(key: SectionKey, run_id: str) -> OneRun | None:
    """See ``runs.read_run``."""
    return runs.read_run(key, run_id)


@st.cache_resource(max_entries=64, show_spinner="reading the items")
def items(key: SectionKey, run_id: str, moment: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """See ``runs.items_of``."""
    found = run(key, run_id)
    assert found is not None
    return runs.items_of(found, moment, questions(key.suite, key.path))


@st.cache_resource(max_entries=16, show_spinner="reading the suite's items")
def questions(suite: str, path: Path) -> runs.Texts:
    """See ``runs.texts``."""
    return runs.texts(suite, path)
