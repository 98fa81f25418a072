"""What every test shares: no hub, one thread, the folder of real data where it exists, and the command line."""

import os
import sys
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_report_header(config) -> str | None:
    """Nothing is left out without a word."""
    left_out = config.option.markexpr == "not extended"
    return "left out: tests marked `extended`, which `make test-all` runs" if left_out else None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and models; a test that needs it is skipped, with the reason, where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"no real data: {SHARED} is absent")
    return SHARED


@pytest.fixture
def tunematrix(monkeypatch, capsys, tmp_path):
    """Runs a command in a folder of its own; returns its exit code, output and the lines of its errors."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> tuple[int, str, list[str]]:
        from harness.cli import main

        monkeypatch.setattr(sys, "argv", ["tunematrix", *map(str, words)])
        try:
            main()
            code: object = 0
        except SystemExit as stop:
            code = stop.code or 0
        captured = capsys.readouterr()
        return int(code), captured.out, captured.err.splitlines()  # type: ignore[call-overload]

    return run
