"""What can be found wrong with a script's options is found before anything runs."""

import sys
from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from scripts.arguments import Options, interpreter, place, seconds, whole


@pytest.mark.parametrize("text", ["-5", "nan", "inf"])
def test_a_time_that_is_none(text):
    with pytest.raises(ArgumentTypeError, match="0 seconds or more"):
        seconds(text)


def test_nothing_cannot_be_timed():
    with pytest.raises(ArgumentTypeError, match="1 or more"):
        whole("0")


def test_a_file_is_where_the_command_was_typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert place("gpu.db") == tmp_path / "gpu.db"


@pytest.mark.parametrize("text", [".", "nowhere/gpu.db"])
def test_a_file_without_a_folder(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArgumentTypeError, match="a file in a folder that exists"):
        place(text)


def test_a_program_that_is_not_there():
    assert interpreter(sys.executable) == Path(sys.executable)
    with pytest.raises(ArgumentTypeError, match="no such program"):
        interpreter("/nonexistent/python")


def test_what_is_wrong_is_one_line(capsys):
    options = Options("gpu-peers")
    options.add_argument("--steps", type=whole)
    with pytest.raises(SystemExit) as stop:
        options.parse_args(["--steps", "0"])
    assert stop.value.code == 2
    assert capsys.readouterr().err == "gpu-peers: argument --steps: 0: expected 1 or more\n"
