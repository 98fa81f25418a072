"""How things are laid out on a page: beside each other where there is room, under each other on a narrow screen."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import streamlit as st

Thing = TypeVar("Thing")


def beside(things: Iterable[Thing], columns: int = 2) -> Iterator[tuple[Any, Thing]]:
    """Each of the things with a place for it, ``columns`` to a row."""
    several = list(things)
    for first in range(0, len(several), columns):
        yield from zip(st.columns(columns), several[first : first + columns], strict=False)
