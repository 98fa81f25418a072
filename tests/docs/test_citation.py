"""CITATION.cff says what the package says of itself."""

import tomllib
from pathlib import Path

import yaml

from tunematrix.version import __version__

ROOT = Path(__file__).resolve().parents[2]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_version_is_the_packages():
    assert CITATION["version"] == __version__


def test_the_licence_is_the_packages():
    assert CITATION["license"] == PROJECT["license"]


def test_it_has_what_the_format_asks_for():
    assert {"cff-version", "message", "title", "authors"} <= set(CITATION)
