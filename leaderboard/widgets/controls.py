"""The controls of the board: Streamlit's widgets, each bound to a query parameter, so that a link holds the page."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from leaderboard.texts import short

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:@&=/])")
# Where Streamlit would make a link or an icon, escaped or not, unless something stands behind it.
_ADDRESS = re.compile(r"https?:(?=//)|www(?=\.)|@|:(?=[a-z])", re.IGNORECASE)
WORD_JOINER = "\u2060"  # of no width
LONGEST = 300


def plain(text: object, longest: int = LONGEST) -> str:
    """Any text as Markdown that shows it as it is: no markup, no mathematics, no emoji, on one line."""
    line = " ".join("".join(c if c.isprintable() or c.isspace() else " " for c in str(text)).split())
    return _MARKDOWN.sub(r"\\\1", _ADDRESS.sub(f"\\g<0>{WORD_JOINER}", short(line, longest)))


def choose(
    label: str,
    options: Sequence[str],
    *,
    key: str,
    default: str | None = None,
    help: str | None = None,
    show: Callable[[str], str] | None = None,
) -> str:
    """One of ``options`` (the first, or ``default``), kept in the address under ``key``."""
    index = options.index(default) if default in options else 0
    chosen: str = st.selectbox(
        label, options, index=index, key=key, help=help, format_func=show or short, bind="query-params"
    )
    return chosen


def choose_several(
    label: str,
    options: Sequence[str],
    *,
    key: str,
    default: Sequence[str] = (),
    help: str | None = None,
    placeholder: str = "all",
) -> list[str]:
    """Some of ``options``, kept in the address under ``key``."""
    kept = [option for option in default if option in options]
    return list(
        st.multiselect(
            label, options, default=kept, key=key, help=help, placeholder=placeholder, format_func=short,
            bind="query-params",
        )
    )  # fmt: skip


def slide(label: str, options: Sequence[str], *, key: str, default: str, help: str | None = None) -> str:
    """One of ``options`` that have an order, kept in the address under ``key``."""
    return str(st.select_slider(label, options, value=default, key=key, help=help, bind="query-params"))


def amount(
    label: str, *, key: str, step: float = 1.0, help: str | None = None, empty: str = "no limit"
) -> float | None:
    """A number from zero on, None where it is left ``empty``; kept in the address under ``key``."""
    found = st.number_input(
        label, min_value=0.0, max_value=1e9, value=None, step=step, format="%g", key=key, help=help, placeholder=empty,
        bind="query-params",
    )  # fmt: skip
    return None if found is None else float(found)


def written(label: str, *, key: str, default: str, help: str | None = None) -> str:
    """A line of text, kept in the address under ``key``."""
    return str(st.text_input(label, default, key=key, help=help, bind="query-params") or default)


def toggle(label: str, *, key: str, default: bool = False, help: str | None = None) -> bool:
    """A switch, kept in the address under ``key``."""
    return bool(st.toggle(label, value=default, key=key, help=help, bind="query-params"))


def search(label: str, *, key: str, help: str | None = None, placeholder: str = "any part of a name") -> str:
    """A few words to look for, kept in the address under ``key``."""
    return str(st.text_input(label, key=key, help=help, placeholder=placeholder, bind="query-params") or "")


def page_of(rows: Any, size: int, *, key: str) -> Any:
    """The page of ``rows`` (a frame) that is looked at, ``size`` rows long, its number kept in the address."""
    pages = max(1, -(-len(rows) // size))
    if pages == 1:
        return rows
    number = int(st.number_input(f"Page, of {pages}", 1, pages, key=key, bind="query-params"))
    return rows.iloc[(number - 1) * size : number * size]


def pick(
    label: str,
    options: Sequence[Any],
    current: int,
    *,
    key: str,
    show: Callable[[Any], str],
    then: Callable[[int], None],
) -> None:
    """A list of ``options`` that stands at the ``current`` one; the place of another is for ``then``, which changes the
    address: ``key`` is to change with what the page shows.

    Whoever goes back before the page has come finds the list as it was, and is not sent on again.
    """

    def picked() -> None:
        place = st.session_state[key]
        st.session_state[key] = current
        then(place)

    places, shown = range(len(options)), [short(show(option)) for option in options]
    st.selectbox(label, places, index=current, key=key, format_func=lambda n: shown[n], on_change=picked)


def part(options: Sequence[str], *, key: str, label: str = "Show") -> str:
    """Which part of a page is looked at, kept in the address under ``key``."""
    chosen: str = st.segmented_control(
        label, options, default=options[0], required=True, key=key, label_visibility="collapsed", bind="query-params"
    )
    return chosen
