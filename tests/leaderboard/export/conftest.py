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
        """Keep the element; a script's text is kept by itself."""
        self.elements.append((tag, dict(attrs)))
        self._within = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag):
        """What follows is text again."""
        self._within = ""

    def handle_data(self, data):
        """Keep the text, of scripts apart; that of styles is none."""
        if self._within == "script":
            attrs, text = self.scripts[-1]
            self.scripts[-1] = (attrs, text + data)
        elif self._within != "style":
            self.text += data

    def tags(self, name: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a name."""
        return [attrs for tag, attrs in self.elements if tag == name]


@pytest.fixture
def parsed():
    """See ``Parsed``."""
    return Parsed


@pytest.fixture(scope="module")
def without_vega():
    """A page in which nothing can be drawn."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(scripts, "vega", lambda: "window.vegaEmbed = null;")
        yield
