"""What is shown can be saved, under a harmless name."""

import pytest

from leaderboard.widgets.saving import drawn, file_name

SPEC = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
    "mark": "point",
    "data": {"values": [{"x": 1, "name": "</svg><script>alert(1)</script>"}]},
    "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "name", "type": "nominal"}},
}


def test_a_picture_is_drawn_as_svg_without_obeying_its_texts():
    svg = drawn(SPEC, "SVG").decode()
    assert svg.startswith("<svg")
    assert "<script" not in svg


def test_a_picture_is_drawn_as_png():
    assert drawn(SPEC, "PNG").startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "said"), [("../../etc/passwd", "etc-passwd.svg"), ("lora r=8", "lora-r-8.svg"), ("¿?", "picture.svg")]
)
def test_a_files_name_leads_nowhere(name, said):
    assert file_name(name, "SVG") == said


def test_every_picture_of_a_page_is_offered(open_board, snapshot):
    page = open_board(snapshot)
    assert "lineup" in [text.value for text in page.text]
