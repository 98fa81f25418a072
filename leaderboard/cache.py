"""What is worked out once for all visitors: kept by a source's version and a section's key, so never out of date.

What these return is shared between visitors: it is read, never changed.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from harness.analysis.summary import summarise
from harness.history import Past, past_of
from harness.sections import Part
from leaderboard import gate, results, versus
from leaderboard.results import Listing, SectionKey, Version
from leaderboard.versus import Comparison, Pick

if TYPE_CHECKING:
    from harness.gate.outputs import Check

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


@st.cache_resource(max_entries=10 * SECTIONS, show_spinner="looking back")
def past(key: SectionKey) -> Past:
    """See ``history.past_of``."""
    return past_of(key.source, part(key), summary(key))


@st.cache_resource(max_entries=SECTIONS, show_spinner="comparing the two")
def two_compared(first: Pick, second: Pick) -> Comparison:
    """See ``versus.compare_two``."""
    return versus.compare_two((part(first.key), part(second.key)), (first, second))


@st.cache_resource(max_entries=SECTIONS, show_spinner="comparing arm by arm")
def results_compared(first: SectionKey, second: SectionKey, arm_id: str | None) -> Comparison:
    """See ``versus.compare_results``."""
    return versus.compare_results((part(first), part(second)), (first.where, second.where), arm_id)


def checked(baseline: Path, candidate: Path, suite: str) -> "Check":
    """See ``gate.check``."""
    return _checked(baseline, candidate, suite, results.version(baseline), results.version(candidate))


@st.cache_resource(max_entries=SECTIONS, show_spinner="judging as the gate does")
def _checked(baseline: Path, candidate: Path, suite: str, _before: Version, _after: Version) -> "Check":
    return gate.check(baseline, candidate, suite)
