"""What is worked out once for all visitors: kept by a source's version and a section's key, so never out of date.

What these return is shared between visitors: it is read, never changed. No parameter's name may begin with an
underscore: Streamlit would leave it out of the key.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from harness import questions
from harness.analysis import forgetting, frontier, matched, rates
from harness.analysis.costs import whole_tuning_seconds
from harness.analysis.memory import components, peaks, predicted
from harness.analysis.recommend import Recommendation, recommend
from harness.analysis.summary import summarise
from harness.history import Past
from harness.questions import Stamp
from harness.sections import Part
from harness.selectors import Named
from leaderboard import results
from leaderboard.results import Listing, SectionKey, Version
from leaderboard.rows import compare as versus
from leaderboard.rows import gate
from leaderboard.rows import recipes as told_recipes
from leaderboard.rows import run as runs
from leaderboard.rows.compare import Comparison, Pick
from leaderboard.rows.run import OneRun

if TYPE_CHECKING:
    from harness.gate.outputs import Check

SECTIONS = 24  # of which frames are kept; the oldest make room


def listing(path: Path) -> Listing:
    """See ``results.list_source``."""
    return _listing(path, results.version(path))


@st.cache_resource(max_entries=64, show_spinner="reading the results")
def _listing(path: Path, version: Version) -> Listing:
    return results.list_source(path)


@st.cache_resource(max_entries=SECTIONS, show_spinner="reading the runs")
def part(key: SectionKey) -> Part:
    """See ``results.read_part``."""
    return results.read_part(key)


@st.cache_resource(max_entries=10 * SECTIONS, show_spinner="comparing the arms")
def summary(key: SectionKey) -> pd.DataFrame:
    """See ``summary.summarise``; with ``parent_arm_id`` and ``execution_id``."""
    frames = part(key).frames
    return summarise(frames).join(frames.arms.set_index("arm_id")[["parent_arm_id", "execution_id"]], on="arm_id")


@st.cache_resource(max_entries=SECTIONS, show_spinner="comparing with the base")
def tasks(key: SectionKey) -> pd.DataFrame:
    """See ``forgetting.by_task``."""
    return forgetting.by_task(part(key).frames)


@st.cache_resource(max_entries=SECTIONS, show_spinner="comparing answers with the base's")
def kept_and_lost(key: SectionKey) -> pd.DataFrame:
    """See ``forgetting.kept_and_lost``, of the safety tasks."""
    return forgetting.kept_and_lost(part(key).frames, "safety")


@st.cache_resource(max_entries=SECTIONS, show_spinner=False)
def run_points(key: SectionKey) -> pd.DataFrame:
    """See ``matched.run_points``, of all arms."""
    section = part(key).frames
    return matched.run_points(section.scores, section.evals("target"), section.evals("general"))


@st.cache_resource(max_entries=SECTIONS, show_spinner=False)
def rate_curves(key: SectionKey) -> pd.DataFrame:
    """See ``rates.rate_curves``."""
    return rates.rate_curves(part(key).frames)


@st.cache_resource(max_entries=10 * SECTIONS, show_spinner="comparing the arms within the limits")
def recommendation(key: SectionKey, limits: tuple[tuple[str, float], ...], arms: tuple[str, ...]) -> Recommendation:
    """See ``recommend.recommend``, among the arms of these ids."""
    table = summary(key)
    return recommend(part(key).frames, table[table["arm_id"].isin(arms)], dict(limits))


@st.cache_resource(max_entries=10 * SECTIONS, show_spinner="looking for arms that none beats")
def standing(key: SectionKey, quantities: tuple[str, ...]) -> pd.DataFrame:
    """See ``frontier.frontier``, of the trained arms."""
    table = summary(key)
    trained = table[table["chosen_rate"].notna()]
    trained = trained.assign(whole_tuning_seconds=whole_tuning_seconds(trained))
    return frontier.frontier(part(key).frames, trained, quantities)


@st.cache_resource(max_entries=10 * SECTIONS, show_spinner="counting the bytes")
def memory(key: SectionKey) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The section's ``memory.peaks``, their ``components``, and what was ``predicted``."""
    found = peaks(part(key).frames.phases)
    return found, components(found), predicted(found, results.read_predictions(key))


@st.cache_resource(max_entries=64, show_spinner="reading the run")
def run(key: SectionKey, run_id: str) -> OneRun | None:
    """See ``runs.read_run``."""
    return runs.read_run(key, run_id)


@st.cache_resource(max_entries=SECTIONS, show_spinner=False)
def recipes(key: SectionKey) -> pd.DataFrame:
    """See ``recipes.told``, of all arms."""
    return told_recipes.told(results.read_recipes(key, tuple(part(key).frames.arms["arm_id"])))


def items(key: SectionKey, run_id: str, moment: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """See ``runs.items_of``."""
    return _items(key, run_id, moment, questions.stamps(key.suite, key.path))


@st.cache_resource(max_entries=64, show_spinner="reading the items")
def _items(key: SectionKey, run_id: str, moment: str, files: tuple[Stamp, ...]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    found = run(key, run_id)
    assert found is not None
    return runs.items_of(found, moment, _texts(key.suite, key.path, files))


def texts(suite: str, path: Path) -> runs.Texts:
    """See ``runs.texts``; read anew when one of the files that they come from has changed."""
    return _texts(suite, path, questions.stamps(suite, path))


@st.cache_resource(max_entries=16, show_spinner="reading the suite's items")
def _texts(suite: str, path: Path, files: tuple[Stamp, ...]) -> runs.Texts:
    return runs.texts(suite, path)


@st.cache_resource(max_entries=SECTIONS, show_spinner=False)
def curves(key: SectionKey) -> pd.DataFrame:
    """See ``results.read_curves``."""
    return results.read_curves(key)


@st.cache_resource(max_entries=50 * SECTIONS, show_spinner=False)
def named(key: SectionKey) -> list[Named]:
    """See ``results.read_named``."""
    return results.read_named(key)


@st.cache_resource(max_entries=50 * SECTIONS, show_spinner="looking back")
def past(key: SectionKey, arms: tuple[str, ...]) -> Past:
    """See ``results.read_past``."""
    return results.read_past(key, arms)


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
def _checked(baseline: Path, candidate: Path, suite: str, before: Version, after: Version) -> "Check":
    return gate.check(baseline, candidate, suite)
