"""Which results a page is about: the choice in the sidebar, the same on every page, and kept in the address."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import streamlit as st

from harness.sources import at_hand
from leaderboard import cache, results
from leaderboard.results import Listing, SectionKey
from leaderboard.scope import Scope
from leaderboard.widgets import controls, saving
from leaderboard.widgets.live import watch

HOW = """# the embedded suite: ten minutes on two cores
tunematrix run pocket
# your own
tunematrix run --base ./my-model --data train.jsonl
# then, on what there is
tunematrix board"""


def sources() -> tuple[Path, ...]:
    """The sources that the command line names, as ``at_hand`` completes them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sources", nargs="*", type=Path)
    return at_hand(parser.parse_args(sys.argv[1:]).sources)


def listings() -> tuple[Listing, ...]:
    """What the sources at hand hold, each problem said on the page."""
    found = tuple(cache.listing(path) for path in sources())
    for one in found:
        if one.problem:
            st.warning(controls.plain(one.problem), icon=":material/report:")
        for note in one.notes:
            st.info(controls.plain(f"{one.name}: {note}"), icon=":material/info:")
    return found


def chosen_scope() -> Scope:
    """Ask in the sidebar which results the page is about; says how to make some, and ends the page, without any."""
    found = listings()
    sections = results.in_order(found)
    with st.sidebar:
        scope = Scope(found, _chosen(sections)) if sections else None
        if scope and len(scope.sections) > 1:  # rows of several results are told apart by these numbers
            for n, key in enumerate(scope.sections, 1):
                st.caption(controls.plain(f"{n}: {key.where}"))
        watch(sources, found)
        if sections and all(one.kind == "snapshot" for one in found):
            st.caption("Published results. To make results of your own:")
            st.code(HOW, language=None, wrap_lines=True)
    return scope or nothing_yet()


def nothing_yet() -> NoReturn:
    """There are no results: say how to make some, and end the page."""
    st.title("No results yet")
    st.write("This board shows results files and published snapshots. To make results of your own:")
    st.code(HOW, language=None, wrap_lines=True)
    st.stop()


def _chosen(sections: Sequence[SectionKey]) -> tuple[SectionKey, ...]:
    suites = list(dict.fromkeys(key.suite for key in sections))
    suite = controls.choose("Suite", suites, key="suite", help="The question that the runs answer.")
    of_suite = [key for key in sections if key.suite == suite]
    machines = list(dict.fromkeys(key.hardware for key in of_suite))
    if len(machines) > 1:
        chosen = controls.choose_several("Hardware", machines, key="hardware", help="All, where none is chosen.")
        of_suite = [key for key in of_suite if not chosen or key.hardware in chosen]
    named = results.told_apart(of_suite)
    first = next(iter(named))
    help_ = "A suite's runs on one stack are compared with each other; several results are shown one under the other."
    wanted = controls.choose_several("Results", list(named), key="results", default=[first], help=help_)
    return tuple(named[where] for where in wanted) or (named[first],)


def page(show: Callable[[Scope], None]) -> None:
    """Show a page on the chosen results, or say in a sentence why that can't be done."""
    from harness.errors import UserError

    saving.begin()
    try:
        show(chosen_scope())
        saving.offer()
    except UserError as error:
        st.error(controls.plain(str(error)), icon=":material/report:")
