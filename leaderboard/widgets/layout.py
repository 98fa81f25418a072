"""How things are laid out on a page: beside each other where there is room, under each other on a narrow screen."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import streamlit as st

from leaderboard.pictures.panels import Panel
from leaderboard.widgets import controls
from leaderboard.widgets.saving import keep

Thing = TypeVar("Thing")


def beside(things: Iterable[Thing], columns: int = 2) -> Iterator[tuple[Any, Thing]]:
    """Each of the things with a place for it, ``columns`` to a row."""
    several = list(things)
    for first in range(0, len(several), columns):
        yield from zip(st.columns(columns), several[first : first + columns], strict=False)


def draw(several: Sequence[Panel], *, key: str, say: str, columns: int = 2) -> None:
    """Draw panels beside each other; ``say`` tells what they show to those who can't see it."""
    for n, (place, panel) in enumerate(beside(several, columns)):
        place.markdown(f"**{controls.plain(panel.title)}**")
        keep(f"{key} {panel.title}", panel.whole)
        place.vega_lite_chart(panel.drawn(), width="stretch", key=f"{key}-{n}", alt=f"{say}: {panel.title}")
