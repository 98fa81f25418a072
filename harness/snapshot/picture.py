"""Is a published SVG the picture that the rows give? Element by element: what is drawn, where, and nothing besides.

Marks, ticks and labels are placed by the data and by fixed sizes: they differ by rounding alone. A machine's fonts set
the margins, the places of titles, and which labels of a crowded axis are shown.
"""

import re
from xml.etree import ElementTree

from harness.snapshot.rounding import same_number

ROUNDED_PIXELS = 0.01
FONT_PIXELS = 40.0

_PLACES = {"transform", "d", "x", "y", "x2", "y2", "width", "height", "viewBox"}
_PLACED_BY_FONTS = {"marks", "role-axis-title", "role-title"}  # classes of what holds such elements
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def same_picture(said: str, given: str) -> bool:
    """Does ``said``, an SVG that may come from anybody, show what ``given`` does, which is ours?"""
    if "<!" in said or "<?" in said:  # ours has no entities, comments or instructions
        return False
    try:
        published = ElementTree.fromstring(said)
    except ElementTree.ParseError:
        return False
    return _same_element(published, ElementTree.fromstring(given), {"marks"})


def _same_element(said: ElementTree.Element, given: ElementTree.Element, parent: set[str]) -> bool:
    if (said.tag, said.text, said.tail, said.keys()) != (given.tag, given.text, given.tail, given.keys()):
        return False
    if len(said) != len(given):
        return False
    classes = set(given.get("class", "").split())
    unseen = "background" in classes and given.get("stroke") is None
    slack = FONT_PIXELS if unseen or parent & _PLACED_BY_FONTS else ROUNDED_PIXELS
    for name, ours in given.items():
        if name == "opacity" and "role-axis-label" in parent:
            continue
        if not _same_attribute(name, said.attrib[name], ours, slack):
            return False
    return all(_same_element(one, other, classes) for one, other in zip(said, given, strict=True))


def _same_attribute(name: str, said: str, given: str, slack: float) -> bool:
    if said == given:
        return True
    if name == "aria-label":
        return _same_label(said, given)
    if name not in _PLACES or _NUMBER.split(said) != _NUMBER.split(given):
        return False
    numbers = zip(_NUMBER.findall(said), _NUMBER.findall(given), strict=True)
    return all(abs(float(a) - float(b)) <= slack for a, b in numbers)


def _same_label(said: str, given: str) -> bool:
    words, others = (label.replace(";", " ").replace("\N{MINUS SIGN}", "-").split() for label in (said, given))
    return len(words) == len(others) and all(a == b or same_number(a, b) for a, b in zip(words, others, strict=True))
