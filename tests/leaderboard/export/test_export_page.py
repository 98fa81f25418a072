"""The static page as HTML: what the data say is only ever text, and the page runs its own scripts and loads nothing."""

import base64
import hashlib
import json

import altair as alt
import pandas as pd
import pytest

from leaderboard import tables
from leaderboard.export.blocks import Grid, Panels, Picture, Said
from leaderboard.export.page import Part, document, index
from leaderboard.pictures.panels import panels

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "<!--<script>",
    "\"' onmouseover=alert(1) x='",
    "\u202egnp.exe\u2028\u2029",
    "\x00\x1b[31m",
)


def chart(name):
    rows = pd.DataFrame({"name": [name], "value": [1.0]})
    return alt.Chart(rows).mark_point().encode(x="value:Q", y=alt.Y("name:N", sort=[name]), tooltip="name:N")


def page_of(text):
    frame = pd.DataFrame({"name": [text, f"{text}\n{text}"], "value": [1.0, None]})
    columns = [tables.text("name", text, text), tables.number("value", "value", "A number.", "%.1f")]
    alike = panels(chart(text), pd.DataFrame({"name": [text], "value": [1.0]}), "name")
    blocks = [Said(text), Grid(text, frame, columns), Picture(chart(text), text, text), Panels(alike, text, text)]
    return document(text, [text], [Part(text, blocks, [Part(text)])])


@pytest.fixture
def harmless(parsed, without_vega):
    return parsed(page_of("harmless"))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_adds_no_element_and_no_attribute(parsed, harmless, text):
    found = parsed(page_of(text))
    assert [tag for tag, _ in found.elements] == [tag for tag, _ in harmless.elements]
    assert [sorted(attrs) for _, attrs in found.elements] == [sorted(attrs) for _, attrs in harmless.elements]


@pytest.mark.parametrize("text", HOSTILE[:5])
def test_hostile_text_is_shown_as_it_is(parsed, without_vega, text):
    assert text in parsed(page_of(text)).text


def test_a_charts_data_come_through_its_json_whole(parsed, without_vega):
    text = "</script>\u2028<!--"
    whole, panel = [held for attrs, held in parsed(page_of(text)).scripts if attrs.get("type") == "application/json"]
    assert "<" not in whole + panel and "\u2028" not in whole + panel
    assert list(json.loads(whole)["datasets"].values()) == [[{"name": text, "value": 1.0}]]
    assert json.loads(panel)["data"]["values"] == [{"name": text, "value": 1.0}]


def test_the_policy_allows_the_pages_own_scripts_by_their_hashes_and_no_network(parsed, without_vega):
    found = parsed(page_of("harmless"))
    (policy,) = [attrs["content"] for attrs in found.tags("meta") if "http-equiv" in attrs]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    code = [text for attrs, text in found.scripts if attrs.get("type") is None]
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in code}
    assert rules["default-src"] == "'none'"
    assert set(rules["script-src"].split()) == hashes
    assert "connect-src" not in rules and rules["img-src"] == "data:"


def test_nothing_in_it_is_loaded_from_elsewhere(parsed, without_vega):
    found = parsed(page_of("harmless"))
    assert not [attrs for _, attrs in found.elements if "src" in attrs]
    assert not found.tags("link")
    assert all(attrs["href"].startswith("#") for attrs in found.tags("a"))


def test_a_number_is_shown_with_its_precision_and_sorted_by_all_of_it(parsed, without_vega):
    frame = pd.DataFrame({"value": [1.234567, None]})
    html = document("t", [], [Part("p", [Grid("g", frame, [tables.number("value", "v", "m", "%.1f")])])])
    assert 'data-value="1.234567">1.2</td>' in html
    assert 'data-value=""></td>' in html


def test_a_heads_meaning_is_there_without_a_pointer(parsed, without_vega):
    frame = pd.DataFrame({"value": [1.0]})
    html = document("t", [], [Part("p", [Grid("g", frame, [tables.number("value", "v", "What it means.")])])])
    assert "<dt>v</dt><dd>What it means.</dd>" in html


def test_an_index_leads_to_its_pages_and_runs_nothing(parsed):
    found = parsed(index("tunematrix", [("mine.html", "<b>mine</b>", "pocket")]))
    assert [attrs["href"] for attrs in found.tags("a")] == ["mine.html"]
    assert "<b>mine</b>" in found.text and not found.scripts
