"""A picture is the same where only rounding and fonts differ; whatever else is moved, added or taken away is seen."""

import re

import pytest

from harness.report import build_report
from harness.snapshot.figures import as_svg, figures
from harness.snapshot.picture import same_picture
from harness.store import reader
from harness.store.database import open_for_reading


@pytest.fixture(scope="module")
def charts(db_path):
    db = open_for_reading(db_path)
    return {name: chart for name, (_, chart) in figures(build_report(db).sections[0], reader.curves(db)).items()}


@pytest.fixture(scope="module")
def svg(charts) -> str:
    return as_svg(charts["gain-memory"])


def edited(svg: str, pattern: str, new: str) -> str:
    found, count = re.subn(pattern, new, svg, count=1)
    assert count == 1 and found != svg
    return found


@pytest.mark.parametrize("name", ["gain-memory", "gain-forgetting", "score-rank", "loss"])
def test_in_other_fonts_it_is_the_same(charts, name):
    other = as_svg(charts[name].configure(font="monospace")).replace("monospace", "sans-serif")
    assert other != as_svg(charts[name])
    assert same_picture(other, as_svg(charts[name]))


def test_with_other_last_digits_it_is_the_same(svg):
    other = edited(svg, r"(translate\([-\d.]+,\d+\.\d{3})\d+", r"\g<1>")
    assert same_picture(other, svg)


@pytest.mark.parametrize(
    ("pattern", "new"),
    [
        (r'(aria-roledescription="point" transform="translate\()\d+', r"\g<1>7"),
        (r'(aria-roledescription="rule mark" transform="[^"]*" x2="[^"]*" y2=")[^"]*', r"\g<1>1"),
        (r'(<g class="mark-text role-axis-label".*?translate\()\d+', r"\g<1>30"),
        (r'fill="#1f77b4"', 'fill="#ff7f0e"'),
        (r'width="\d+"', 'width="9"'),
        (r"arm: lora r=8", "arm: best"),
        (r">lora r=8</text>", ">best</text>"),
        (r'(<text [^>]*opacity=")1("[^>]*>lora)', r"\g<1>0\g<2>"),
        (r"</svg>", "<script>alert(1)</script></svg>"),
        (r"<rect ", '<rect onload="alert(1)" '),
        (r"</g></svg>", '<text x="9">best</text></g></svg>'),
        (r"<line [^>]*/>", ""),
        (r"^<svg", "<!DOCTYPE svg><svg"),
        (r"^<svg", "<?xml-stylesheet href='x'?><svg"),
        (r"</svg>", "</sgv>"),
        (r"<svg .*", "worded"),
    ],
)
def test_whatever_else_is_edited_is_seen(svg, pattern, new):
    assert same_picture(svg, svg)
    assert not same_picture(edited(svg, pattern, new), svg)
