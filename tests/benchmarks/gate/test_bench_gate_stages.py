"""A stage runs once for the code and the settings that it was asked for."""

import json

import pytest

from benchmarks.gate.stages import Stages
from harness.errors import UserError


class Work:
    """Counts how often it was done."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self) -> None:
        self.done += 1


@pytest.fixture
def work() -> Work:
    return Work()


def test_what_has_run_is_not_run_again_and_tells_its_seconds(tmp_path, work):
    first = Stages(tmp_path, digest="code").run("stage", {"rounds": 2}, work)
    assert Stages(tmp_path, digest="code").run("stage", {"rounds": 2}, work) == first
    assert work.done == 1


@pytest.mark.parametrize(("digest", "asked"), [("other code", {"rounds": 2}), ("code", {"rounds": 3})])
def test_other_code_or_other_settings_run_again(tmp_path, work, digest, asked):
    Stages(tmp_path, digest="code").run("stage", {"rounds": 2}, work)
    Stages(tmp_path, digest=digest).run("stage", asked, work)
    assert work.done == 2


def test_a_stage_that_was_stopped_runs_again(tmp_path, work):
    def stopped() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Stages(tmp_path, digest="code").run("stage", {}, stopped)
    Stages(tmp_path, digest="code").run("stage", {}, work)
    assert work.done == 1


def test_a_marker_of_an_earlier_kind_is_none(tmp_path, work):
    (tmp_path / "stage.done").touch()
    Stages(tmp_path, digest="code").run("stage", {}, work)
    assert work.done == 1


def test_judging_only_runs_nothing_and_says_what_ran_under_other_code(tmp_path, work):
    Stages(tmp_path, digest="code").run("stage", {}, work)
    judging = Stages(tmp_path, judge_only=True, digest="other code")
    judging.run("stage", {}, work)
    assert (work.done, judging.other_code) == (1, ["stage"])
    with pytest.raises(UserError, match="another has not run"):
        judging.run("another", {}, work)


def test_the_marker_holds_the_code_s_digest(tmp_path, work):
    stages = Stages(tmp_path)
    stages.run("stage", {}, work)
    assert json.loads((tmp_path / "stage.done").read_text())["digest"] == stages.digest
