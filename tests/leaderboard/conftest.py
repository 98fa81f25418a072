"""The board's pages, run by Streamlit's own test runner."""

import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

APP = Path(__file__).resolve().parents[2] / "leaderboard" / "app.py"


@pytest.fixture
def open_board(monkeypatch, tmp_path):
    """Opens the board on sources, on one of its pages, with query parameters; returns the page as it ran."""
    monkeypatch.chdir(tmp_path)

    def run(*sources: object, page: str = "leaderboard", **parameters: str) -> AppTest:
        monkeypatch.setattr(sys, "argv", ["app.py", *map(str, sources)])
        test = AppTest.from_file(str(APP), default_timeout=60)
        for name, value in parameters.items():
            test.query_params[name] = value
        test.run()
        if page != "leaderboard":
            test.switch_page(f"views/{page}.py").run()
        assert not test.exception, test.exception[0].message
        return test

    return run


@pytest.fixture(scope="session")
def snapshot() -> Path:
    """The published results of the embedded suite."""
    return APP.parents[1] / "results" / "pocket-cpu"
