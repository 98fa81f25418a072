"""How the real tests start the command line: a process of its own, offline unless told otherwise, one thread."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.real.real_cli import Cli


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Runs ``tunematrix`` with these arguments on a database in ``tmp_path``; fails unless it ends with ``code``."""

    def run(
        *arguments: str, code: int = 0, environment: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [sys.executable, "-m", "harness.cli", *arguments, "--db", str(tmp_path / "t.db")],
            env=environment or {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def query(tmp_path: Path) -> Callable[[str], list[Any]]:
    """Rows of the database that ``cli`` writes."""

    def rows(sql: str) -> list[Any]:
        with sqlite3.connect(tmp_path / "t.db") as db:
            return db.execute(sql).fetchall()

    return rows
