"""How long a plan should take: what is done costs nothing, what was seen outweighs the model, jobs share the work."""

from pathlib import Path

import pytest

from harness import estimate
from harness.estimate import START_SECONDS, Tasks, estimate_seconds
from harness.matrix import load_matrix
from harness.matrix_files import suite_file
from harness.plan import Known, Outcome, Planned
from harness.session import Session, open_session

TASKS = Tasks(tuned=11, merged=5)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    matrix = load_matrix(suite_file("pocket"), ("seeds=1", "methods.lora.rank=8"))
    return open_session(matrix, tmp_path / "none.db", device="cpu", jobs=2, only="base=pocket-1m,label=lora")


def seconds(
    plan: list[Planned], known: Known | None = None, jobs: int = 1, tasks: Tasks = TASKS, device: str = "cpu"
) -> float | None:
    return estimate_seconds(plan, known or Known(), device, jobs, tasks)


def done(plan: list[Planned], took: float) -> Known:
    runs = {(line.cell.cell_id, line.purpose): Outcome("r", "ok", None, took) for line in plan if line.cell}
    return Known(outcomes=runs)


def test_a_plan_with_nothing_left_takes_no_time(session):
    plan = session.planner(Known()).plan()

    assert seconds([line for line in plan if line.state == "done"]) == 0


def test_runs_that_were_seen_outweigh_the_model(session):
    plan = session.planner(Known()).plan()
    of_lora = [line for line in plan if line.arm.label == "lora" and line.purpose == "quality"]

    assert seconds(of_lora, done(of_lora, took=100.0)) == pytest.approx(START_SECONDS + 100 * len(of_lora))


def test_a_base_that_was_scored_tells_what_scoring_takes(session, monkeypatch):
    monkeypatch.setattr(estimate, "_machine_factor", lambda: 1.0)
    plan = session.planner(Known()).plan()
    bases = [line for line in plan if not line.arm.trains]
    of_lora = [line for line in plan if line.arm.label == "lora" and line.purpose == "quality"]

    quick, slow = (seconds([*bases, *of_lora], done(bases, took)) for took in (1.0, 101.0))
    moments = len(of_lora) * (1 + TASKS.merged / TASKS.tuned)
    assert slow - quick == pytest.approx(100 * (len(bases) + moments))


def test_jobs_share_all_but_the_measure_runs(session, monkeypatch):
    monkeypatch.setattr(estimate, "_machine_factor", lambda: 1.0)
    plan = session.planner(Known()).plan()
    quality = [line for line in plan if line.purpose == "quality"]
    measure = [line for line in plan if line.purpose == "measure"]

    assert seconds(quality, jobs=2) - START_SECONDS == pytest.approx((seconds(quality) - START_SECONDS) / 2)
    assert seconds(measure, jobs=2) == pytest.approx(seconds(measure))


def test_more_steps_more_tasks_and_a_slower_machine_take_longer(session, monkeypatch):
    monkeypatch.setattr(estimate, "_machine_factor", lambda: 1.0)
    plan = session.planner(Known()).plan()
    before = seconds(plan)

    assert seconds(plan, tasks=Tasks(tuned=22, merged=5)) > seconds(plan, tasks=Tasks(tuned=11, merged=10)) > before
    monkeypatch.setattr(estimate, "_machine_factor", lambda: 2.0)
    assert seconds(plan) == pytest.approx(2 * before - START_SECONDS)


def test_an_estimate_can_be_asked_for_the_reference_machine(session, monkeypatch):
    monkeypatch.setattr(estimate, "_machine_factor", lambda: 3.0)
    plan = session.planner(Known()).plan()

    assert estimate_seconds(plan, Known(), "cpu", 1, TASKS, factor=1.0) < seconds(plan)


class TestOnAGpu:
    def test_nothing_is_said_until_a_run_of_each_kind_has_ended(self, session):
        plan = session.planner(Known()).plan()
        first = next(line for line in plan if line.arm.label == "lora" and line.cell)
        bases = [line for line in plan if not line.arm.trains]

        assert seconds(plan, device="cuda") is None
        assert seconds(plan, done(bases, took=3.0), device="cuda") is None
        assert seconds(plan, done([*bases, first], took=3.0), device="cuda") is not None

    def test_a_measure_run_is_taken_for_as_long_as_its_arms_others_until_one_has_ended(self, session):
        plan = session.planner(Known()).plan()
        of_lora = [line for line in plan if line.arm.label == "lora"]
        measure = [line for line in of_lora if line.purpose == "measure"]

        assert len(measure) == 1
        expected = START_SECONDS + 100 * len(of_lora)
        assert seconds(of_lora, done(of_lora, took=100.0), device="cuda") == pytest.approx(expected)

    def test_a_finished_plan_takes_no_time(self):
        assert seconds([], device="cuda") == 0


def test_the_machine_at_hand_is_timed_within_bounds():
    assert 0.2 <= estimate._machine_factor() <= 10
