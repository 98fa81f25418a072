"""Another interpreter is asked what it is: one that is none is told in a line, no chatter is taken for an answer."""

import sys
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.events import Failed
from harness.executors.interpreter import FROM_HERE, InterpreterExecutor, event_line, stack_of

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def script(tmp_path):
    """A program at a path."""

    def write(text: str) -> str:
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    return write


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("true", "it says nothing"),
        ("echo '{}'", "it says nothing"),
        ("echo 'No module named harness' >&2; exit 1", "No module named harness"),
    ],
)
def test_what_is_no_python_with_tunematrix_is_told_in_a_line(script, text, told):
    with pytest.raises(UserError, match=r"must be a Python in which tunematrix .* is installed: ") as error:
        stack_of(script(text), "cpu")
    assert error.value.lines[0].endswith(told)


def test_another_version_is_told(script):
    said = '\ntunematrix says:\n{"version": "0.0.1", "facts": {}, "code_digest": ""}'
    with pytest.raises(UserError, match=r"has tunematrix 0\.0\.1, this is "):
        stack_of(script(f"printf '{said}'"), "cpu")


def test_what_it_prints_on_starting_is_not_listened_to(script, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    facts, digest = stack_of(script(f'printf "hello from sitecustomize"; exec {sys.executable} "$@"'), "cpu")
    assert facts["device"] == "cpu"
    assert len(digest) == 64


def test_events_are_read_from_the_first_that_is_one(script, tmp_path):
    event = Failed(status="crashed", reason="for the test")
    (tmp_path / "said").write_bytes(b"hello\nto all" + FROM_HERE + event_line("run", event))
    with InterpreterExecutor(script(f"cat {tmp_path / 'said'}; cat > /dev/null"), "cpu", tmp_path / "logs") as executor:
        executor.running.add("run")
        found: list = []
        while not found:
            found = executor.poll(5)
    assert found == [("run", event)]
