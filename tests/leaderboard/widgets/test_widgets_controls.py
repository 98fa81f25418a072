"""Texts of the data are shown as they are, whatever they say."""

import pytest
from markdown_it import MarkdownIt

from leaderboard.widgets.controls import page_of, plain

HOSTILE = (
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "**bold** _it_ `code`",
    "$x^2$",
    ":smile: :red[x] :material/home:",
    "# heading",
    "- item",
    "1. item",
    "https://example.org www.example.org a@b.org",
    "![](https://example.org/x.png)",
    "a | b",
    "&lt;b&gt;",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_is_escaped(text):
    html = MarkdownIt().render(plain(text))
    tags = {part.split(">")[0] for part in html.replace("</", "<").split("<")[1:]}
    assert tags == {"p"}


@pytest.mark.parametrize("text", ["$x$", ":smile:", ":red[x]"])
def test_marks_that_streamlit_adds_are_escaped_too(text):
    assert all(f"\\{mark}" in plain(text) for mark in set(text) & set("$:["))


@pytest.mark.parametrize(
    "text", ["https://example.org/x", "HTTP://EXAMPLE.ORG", "www.example.org", "someone@example.org"]
)
def test_an_address_is_no_link_even_where_links_are_found_after_escapes(text):
    unescaped = plain(text).replace("\\", "")
    assert unescaped != text
    assert "://" not in unescaped
    assert "www." not in unescaped
    assert "@e" not in unescaped


def test_control_characters_and_line_breaks_are_taken_out():
    assert plain("a\x1b]0;x\x07\nb") == "a \\]0;x b"


def test_ten_thousand_characters_are_cut():
    assert len(plain("x" * 10_000)) <= 300


def test_rows_that_fit_one_page_are_not_parted():
    assert page_of([1, 2, 3], 3, key="page") == [1, 2, 3]
