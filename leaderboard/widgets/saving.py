"""The pictures of a page as files: whatever was shown can be saved as SVG and as PNG, drawn by this server alone."""

import re
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any

import streamlit as st

from leaderboard.pictures import AnyChart
from leaderboard.pictures.panels import Panel

Spec = dict[str, Any]
Shown = dict[str, Callable[[], Spec]]

MOST = 24  # pictures of one page that are offered
FORMATS = {"SVG": "image/svg+xml", "PNG": "image/png"}
LOOK: Spec = {"background": "white", "padding": 8}
SIZE: Spec = {"view": {"continuousWidth": 640, "continuousHeight": 360}}

_shown: ContextVar[Shown] = ContextVar("shown")


def begin() -> None:
    """A page begins: none of its pictures has been shown."""
    _shown.set({})


def picture(chart: AnyChart | Panel, *, key: str, **options: Any) -> Any:
    """Show a chart, and keep it to be saved under ``key``; takes and returns what ``st.altair_chart`` does.

    Which would check the chart against Vega-Lite's schema each time, for longer than the rest of a page takes; the
    pictures' tests do.
    """
    if isinstance(chart, Panel):
        keep(key, chart.whole)
        return st.vega_lite_chart(chart.drawn(), key=key, **options)
    spec = chart.to_dict(validate=False)
    keep(key, lambda: spec)
    return st.vega_lite_chart(spec, key=key, **options)


def keep(name: str, spec: Callable[[], Spec]) -> None:
    """A picture that was shown, by a name for its file; its specification is made when somebody saves it."""
    _shown.get({})[name] = spec


def offer() -> None:
    """Offer what the page has shown."""
    there = list(_shown.get({}).items())[:MOST]
    if not there:
        return
    with st.popover("Save pictures", icon=":material/download:"):
        for name, spec in there:
            columns = st.columns([3, 1, 1], vertical_alignment="center")
            columns[0].text(name.replace("-", " "))
            for column, form in zip(columns[1:], FORMATS, strict=True):
                column.download_button(
                    form,
                    partial(_drawn_when_asked, spec, form),
                    file_name(name, form),
                    FORMATS[form],
                    key=f"save-{name}-{form}",
                    width="stretch",
                    on_click="ignore",
                )


def _drawn_when_asked(spec: Callable[[], Spec], form: str) -> bytes:
    return drawn(spec(), form)


def drawn(spec: Spec, form: str) -> bytes:
    """A specification of Vega-Lite as a file of ``FORMATS``, by vl-convert in this process: no browser, no network."""
    import altair
    import vl_convert

    version = altair.SCHEMA_VERSION.removeprefix("v").rpartition(".")[0]
    whole = {**spec, **LOOK, "config": {**spec.get("config", {}), **SIZE}}
    if form == "SVG":
        return vl_convert.vegalite_to_svg(whole, vl_version=version).encode()
    return bytes(vl_convert.vegalite_to_png(whole, vl_version=version, scale=2))


def file_name(name: str, form: str) -> str:
    """A file's name of letters, digits and dashes, whatever the picture is called."""
    return f"{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')[:60] or 'picture'}.{form.lower()}"
