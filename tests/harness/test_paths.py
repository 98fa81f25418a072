"""A path in a suite's file is relative to the suite, and ../shared can be somewhere else."""

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.paths import SHARED_VARIABLE, expanded, located, missing_hint

FOLDER = Path("/project/suites/mine")


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SHARED_VARIABLE, raising=False)


def test_a_path_is_relative_to_its_folder() -> None:
    assert located("data/a.jsonl", FOLDER) == FOLDER / "data/a.jsonl"
    assert located("/data/a.jsonl", FOLDER) == Path("/data/a.jsonl")


def test_a_home_folder_is_that_of_a_user_who_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")

    assert expanded("~/models") == located("~/models", FOLDER) == Path("/home/me/models")
    with pytest.raises(UserError, match=r"^~nobody-here/models: there is no home folder ~nobody-here$"):
        expanded("~nobody-here/models")


def test_the_variable_stands_for_the_shared_folder_beside_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SHARED_VARIABLE, "/elsewhere")

    assert located("../../../shared/data/a.jsonl", FOLDER) == Path("/elsewhere/data/a.jsonl")
    assert located("../../../shared", FOLDER) == Path("/elsewhere")


@pytest.mark.parametrize("name", ["shared/a.jsonl", "../sharedness/a.jsonl", "data/../shared/a.jsonl"])
def test_other_paths_stay(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(SHARED_VARIABLE, "/elsewhere")

    assert located(name, FOLDER) == FOLDER / name


def test_without_the_variable_the_path_is_said_plainly() -> None:
    assert located("../../../shared/data", FOLDER) == Path("/shared/data")


def test_only_a_shared_path_is_told_of_the_variable() -> None:
    assert SHARED_VARIABLE in missing_hint("../../shared/data/a.jsonl")
    assert missing_hint("data/a.jsonl") == ""
