"""The static page without Vega, which takes seconds to bundle and is the same in every test."""

from html.parser import HTMLParser

import pytest

from leaderboard.export import scripts


class Parsed(HTMLParser):
    """A page's elements as (tag, attributes), the text outside scripts, and the scripts' texts by their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self._within = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._within = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag):
        self._within = ""

    def handle_data(self, data):
        if self._within == "script":
            attrs, text = self.scripts[-1]
            self.scripts[-1] = (attrs, text + data)
        elif self._within != "style":
            self.text += data

    def tags(self, name: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.elements if tag == name]


@pytest.fixture
def parsed():
    return Parsed


@pytest.fixture
def without_vega(monkeypatch):
    monkeypatch.setattr(scripts, "vega", lambda: "window.vegaEmbed = null;")
