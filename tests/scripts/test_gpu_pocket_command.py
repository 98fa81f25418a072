"""What gpu-pocket runs once its bases are there: a command that the command line takes."""

import sys
from pathlib import Path

import pytest

from scripts import gpu_pocket


def test_when_the_bases_are_there_the_matrix_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[list[str]] = []

    class Ended:
        returncode = 0

    def note(words: list[str], **_: object) -> Ended:
        said.append(words)
        return Ended()

    monkeypatch.setattr(gpu_pocket.subprocess, "run", note)
    monkeypatch.setattr(sys, "argv", ["gpu_pocket", "--device", "cpu", "--folder", str(tmp_path), "--db", "a.db"])

    assert gpu_pocket.main() == 0
    matrix = said[-1]
    assert matrix[3:5] == ["run", str(tmp_path / "rehearsal" / "matrix.yaml")]
    assert "--for" in matrix and "a.db" in matrix
