"""A probe is its arm with another batch and nothing else changed: the cell that a matrix with that batch would have."""

from pathlib import Path

import pytest

from harness.arms import Arm
from harness.largest_batch.probes import outcome_of, predicted_largest, probe, probing, unsearchable
from harness.limits import MemoryLimit
from harness.matrix import load_matrix
from harness.needs import need_at_most
from harness.plan import Known, Outcome
from harness.session import Session, open_session
from tests.small_suite import small_suite

GOOD = Outcome("run", "ok", None, 1.0)
OOM = Outcome("run", "oom", "needs more than 24 GB", 1.0)


@pytest.fixture
def opened(tmp_path: Path):
    """A session of the small suite, with what is set in it."""
    file = small_suite(tmp_path / "suite")

    def open_(*overrides: str) -> Session:
        return open_session(load_matrix(file, overrides), tmp_path / "t.db", device="cpu", jobs=2)

    return open_


def arm_of(session: Session, label: str) -> Arm:
    return next(arm for arm in session.arms if arm.label == label)


def probed(session: Session, label: str, batch: int, known: Known | None = None) -> Arm:
    return probe(arm_of(session, label), batch, session.planner(known or Known()), session.library)


@pytest.mark.parametrize("budget", ["{steps: 7}", "{epochs: 2}", "{real_tokens: 2000}"])
def test_it_is_the_arm_that_a_matrix_with_that_batch_has(opened, budget: str) -> None:
    session, other = opened(f"budget={budget}"), opened(f"budget={budget}", "batch_size=4")

    assert probed(session, "full_sft", 4).arm_id == arm_of(other, "full_sft").arm_id


def test_at_its_own_batch_it_is_the_arm(opened) -> None:
    session = opened()
    arm = probed(session, "full_sft", 16)

    assert (arm.arm_id, arm.label) == (arm_of(session, "full_sft").arm_id, "full_sft")


def test_another_batch_is_told_in_its_name_and_filed_under_the_same_suite(opened) -> None:
    arm = probed(opened(), "full_sft", 4)

    assert (arm.label, arm.suite) == ("full_sft, batch 4", "small")


def test_it_runs_at_one_rate_and_seed_and_by_what_was_chosen_where_the_arm_itself_is_meant(opened) -> None:
    session = opened("seeds=1", "tuning.keep=3")
    arm = arm_of(session, "full_sft")
    best = {1e-4: 0.1, 3e-4: 0.9, 1e-3: 0.5}
    known = Known()
    for rate, score in best.items():
        outcome = Outcome("run", "ok", None, 1.0, validation={"pocket_target_validation": score})
        known.outcomes[arm.cell(rate, 1).cell_id, "quality"] = outcome

    assert (probed(session, "full_sft", 16, known).rates, probed(session, "full_sft", 4, known).rates) == (
        (3e-4,),
        (1e-4,),
    )
    assert probed(session, "full_sft", 16).rates == (1e-4,)
    assert probed(session, "full_sft", 4).seeds == (1,)


def test_what_it_starts_from_keeps_its_batch(opened) -> None:
    session = opened()
    arm = probed(session, "dpo", 4)

    assert arm.parent is not None
    assert [stage["batch_size"] for stage in arm.stages] == [16, 4]
    assert arm.parent.arm_id == arm_of(session, "full_sft").arm_id


class TestItsSession:
    def test_it_has_the_probe_and_what_that_starts_from_one_at_a_time(self, opened) -> None:
        session = opened()
        arm = probed(session, "dpo", 4)
        alone = probing(session, arm)

        assert (alone.arms, alone.jobs) == ([arm.parent, arm], 1)

    def test_nothing_is_scored_and_no_result_kept_and_it_is_measured_whatever_the_matrix_says(self, opened) -> None:
        session = opened("measure.enabled=false")
        alone = probing(session, probed(session, "full_sft", 4))
        plan = alone.planner(Known()).plan()

        assert (alone.evals, alone.tasks_folder, alone.matrix.header.keep_weights) == ([], None, False)
        assert [(line.purpose, line.state) for line in plan] == [("quality", "left"), ("measure", "deferred")]

    def test_its_stack_is_the_sessions(self, opened) -> None:
        session = opened()

        assert probing(session, probed(session, "full_sft", 4)).stack_id == session.stack_id


class TestItsOutcome:
    @pytest.fixture
    def found(self, opened):
        session = opened()
        arm = probed(session, "full_sft", 4)
        cell = arm.cell(arm.rates[0], arm.seeds[0])

        def of(**ended: Outcome) -> Outcome | None:
            known = Known({(cell.cell_id, purpose): outcome for purpose, outcome in ended.items()})
            return outcome_of(probing(session, arm), arm, known)

        return of

    def test_it_is_open_until_it_was_measured(self, found) -> None:
        assert found() is None
        assert found(quality=GOOD) is None

    def test_it_fits_where_it_was_measured(self, found) -> None:
        assert found(quality=GOOD, measure=GOOD) == GOOD

    def test_it_does_not_where_memory_ended_either_run(self, found) -> None:
        assert found(quality=OOM) == OOM
        assert found(quality=GOOD, measure=OOM) == OOM

    def test_where_what_it_starts_from_failed_it_is_blocked(self, opened) -> None:
        session = opened()
        arm = probed(session, "dpo", 4)
        assert arm.parent is not None
        cell = arm.parent.cell(arm.parent.rates[0], 1)
        found = outcome_of(probing(session, arm), arm, Known({(cell.cell_id, "quality"): OOM}))

        assert found is not None and found.status == "blocked"


def test_the_largest_that_is_predicted_is_the_last_that_fits(opened) -> None:
    session = opened()
    arm = arm_of(session, "full_sft")
    limit = MemoryLimit(need_at_most(arm_of(opened("batch_size=23"), "full_sft"), "cpu").peak_bytes)

    assert predicted_largest(arm, "cpu", limit, 1000) == 23
    assert predicted_largest(arm, "cpu", MemoryLimit(limit.vram_bytes - 1), 1000) == 22
    assert predicted_largest(arm, "cpu", limit, 10) == 10
    assert predicted_largest(arm, "cpu", MemoryLimit(1), 1000) == 0


def test_what_is_not_predicted_has_none(opened) -> None:
    assert predicted_largest(arm_of(opened("kernels.compile=true"), "full_sft"), "cpu", MemoryLimit(10**9), 64) is None


def test_a_batch_in_pieces_and_what_this_machine_cannot_run_have_none_to_look_for(opened) -> None:
    assert unsearchable(arm_of(opened(), "full_sft")) is None
    assert "4 at a time" in (unsearchable(arm_of(opened("micro_batch_size=4"), "full_sft")) or "")
    assert "CUDA" in (unsearchable(arm_of(opened("kernels.liger=true"), "full_sft")) or "")
    assert unsearchable(arm_of(opened("micro_batch_size=16"), "full_sft")) is None
