"""Plans: what is left after any history, rates chosen on validation data, children that wait for their parents."""

from dataclasses import dataclass, field

import pytest

from harness.arms import Arm
from harness.bases import Base
from harness.matrix import Variant
from harness.mixes import Mix
from harness.plan import Known, Outcome, Planned, Planner
from harness.settings import Measure, Settings, Tuning
from methods import registry

EVALS = frozenset({"e1", "e2"})
BASE = Base(name="tiny", kind="path", folder=None, config={}, digest="basedigest")


def arm(method="lora", rates=(1e-3, 2e-3, 3e-3), seeds=(1, 2, 3), parent=None, refusal=None) -> Arm:
    model = registry.get(method)
    variant = Variant(method, method, "tiny", model.Parameters(), Settings(), rates, parent.variant if parent else None)
    trains = model.learns_from != "nothing"
    stage = {"kind": model.learns_from, "method": method, "parameters": variant.parameters.model_dump(mode="json")}
    return Arm(
        suite="demo",
        variant=variant,
        base=BASE,
        stage={**stage, "steps": 10},
        execution={"threads": 1},
        rates=rates if trains else (),
        seeds=seeds if trains else seeds[:1],
        mix=Mix("d", 10, (), (), {}, 4, 9) if trains else None,
        selection_task="valid" if trains else None,
        sources={},
        licences={},
        parent=parent,
        refusal=refusal,
    )


@dataclass
class World:
    """Runs what a plan has left, as a runner would, with a validation score of one's choice."""

    arms: list[Arm]
    known: Known = field(default_factory=Known)
    measure: bool = True
    evals: dict[str, frozenset[str]] = field(default_factory=lambda: {"base": EVALS, "tuned": EVALS})

    def plan(self) -> list[Planned]:
        return self.planner().plan()

    def planner(self) -> Planner:
        return Planner(self.arms, self.known, Tuning(), Measure(enabled=self.measure), self.evals)

    def left(self, purpose="quality"):
        return [line.cell for line in self.plan() if line.state == "left" and line.purpose == purpose]

    def run(self, cell, score=0.5, status="ok", purpose="quality", evals=EVALS, reason=None):
        validation = {"valid": score} if status == "ok" else {}
        outcome = Outcome("r", status, reason, 1.0, evals, validation)
        self.known.outcomes[cell.cell_id, purpose] = outcome

    def run_all(self, score=lambda cell: 0.5, turns=20):
        for _ in range(turns):
            cells = self.left()
            if not cells:
                return
            for cell in cells:
                self.run(cell, score(cell))
        raise AssertionError("the plan never ends")


def states(plan, purpose=None):
    return [line.state for line in plan if purpose in (None, line.purpose)]


class TestRates:
    def test_every_rate_runs_at_the_first_seed_before_any_other(self):
        world = World([arm()])
        assert [(c.learning_rate, c.seed) for c in world.left()] == [(1e-3, 1), (2e-3, 1), (3e-3, 1)]
        assert states(world.plan(), "quality").count("deferred") == 4

    def test_the_best_two_go_on_to_every_seed(self):
        world = World([arm()])
        for cell in world.left():
            world.run(cell, {1e-3: 0.1, 2e-3: 0.9, 3e-3: 0.8}[cell.learning_rate])
        assert sorted((c.learning_rate, c.seed) for c in world.left()) == [
            (2e-3, 2), (2e-3, 3), (3e-3, 2), (3e-3, 3),
        ]  # fmt: skip

    def test_the_chosen_rate_is_the_best_mean_over_all_seeds(self):
        world = World([arm()])
        world.run_all(lambda c: {1e-3: 0.1, 2e-3: 0.9 if c.seed == 1 else 0.2, 3e-3: 0.8}[c.learning_rate])
        choice = world.planner().choice(world.arms[0])
        assert (choice.state, choice.rate) == ("chosen", 3e-3)

    def test_a_tie_goes_to_the_lower_rate(self):
        world = World([arm()])
        world.run_all()
        assert world.planner().choice(world.arms[0]).rate == 1e-3

    def test_a_rate_that_failed_is_never_chosen_over_one_with_all_seeds(self):
        world = World([arm()])
        for cell in world.left():
            if cell.learning_rate == 3e-3:
                world.run(cell, status="nan", reason="loss is nan")
            else:
                world.run(cell, 0.5)
        world.run_all()
        assert world.planner().choice(world.arms[0]).rate != 3e-3
        assert states(world.plan()).count("failed") == 1

    def test_an_arm_whose_every_rate_failed_has_no_choice(self):
        world = World([arm()])
        for cell in world.left():
            world.run(cell, status="oom", reason="out of memory")
        assert world.planner().choice(world.arms[0]).state == "impossible"
        assert world.left() == []

    def test_few_rates_need_no_screening(self):
        assert len(World([arm(rates=(1e-3, 2e-3))]).left()) == 6


class TestMeasureRuns:
    def test_one_for_each_arm_at_the_chosen_rate_and_the_first_seed(self):
        world = World([arm()])
        assert world.left("measure") == []
        world.run_all(lambda c: c.learning_rate)
        [cell] = world.left("measure")
        assert (cell.learning_rate, cell.seed) == (3e-3, 1)
        world.run(cell, purpose="measure")
        assert set(states(world.plan())) == {"done"}

    def test_the_untrained_row_has_none(self):
        world = World([arm("base")])
        world.run_all()
        assert states(world.plan()) == ["done"]


class TestPreferencePairs:
    def pair(self):
        sft = arm("lora")
        return World([sft, arm("dpo", rates=(1e-4,), parent=sft)])

    def test_they_are_deferred_without_an_id_until_the_sft_rate_is_chosen(self):
        lines = [line for line in self.pair().plan() if line.arm.label == "dpo"]
        assert {line.state for line in lines} == {"deferred"}
        assert all(line.cell is None for line in lines)

    def test_then_they_start_from_that_rate_and_the_same_seed(self):
        world = self.pair()
        world.run_all(lambda c: c.learning_rate)
        cells = [line.cell for line in world.plan() if line.arm.label == "dpo" and line.purpose == "quality"]
        starts = [(c.recipe["stages"][0]["learning_rate"], c.recipe["stages"][0]["seed"]) for c in cells]
        assert starts == [(3e-3, 1), (3e-3, 2), (3e-3, 3)]
        assert [c.seed for c in cells] == [1, 2, 3]

    def test_they_share_the_sft_stage_with_its_own_cell(self):
        world = self.pair()
        world.run_all(lambda c: c.learning_rate)
        dpo = next(line.cell for line in world.plan() if line.arm.label == "dpo")
        assert dpo.stage_ids[0] == world.arms[0].cell(3e-3, 1).stage_ids[0]

    def test_a_seed_whose_sft_stage_failed_is_blocked_with_the_reason(self):
        world = self.pair()
        for cell in world.left():
            world.run(cell, cell.learning_rate)
        for cell in world.left():
            if cell.seed == 3:
                world.run(cell, status="nan", reason="loss is nan")
            else:
                world.run(cell, cell.learning_rate)
        blocked = [line for line in world.plan() if line.state == "blocked" and line.purpose == "quality"]
        assert [(line.arm.label, line.cell.seed) for line in blocked] == [("dpo", 3)]
        assert "nan" in blocked[0].reason

    def test_all_are_blocked_where_the_sft_arm_has_no_rate(self):
        world = self.pair()
        for cell in world.left():
            world.run(cell, status="oom", reason="out of memory")
        assert {line.state for line in world.plan() if line.arm.label == "dpo"} == {"blocked"}


class TestAfterwards:
    def test_what_is_done_is_not_run_again(self):
        world = World([arm(), arm("base")])
        world.run_all()
        assert world.left() == []

    def test_a_new_task_rescores_and_retrains_nothing(self):
        world = World([arm(rates=(1e-3,), seeds=(1,))], measure=False)
        world.run(world.left()[0], evals=frozenset({"e1"}))
        [line] = world.plan()
        assert (line.state, line.rescore) == ("left", True)

    @pytest.mark.parametrize(
        ("method", "moments"),
        [
            ("base", ("base",)),
            ("full_sft", ("tuned",)),
            ("lora", ("tuned", "merged")),
            ("qlora", ("tuned", "merged", "merged_requantised")),
        ],
    )
    def test_a_new_moment_rescores_the_arms_that_have_it(self, method, moments):
        world = World([arm(method, rates=(1e-3,), seeds=(1,))], measure=False)
        world.run_all()
        for moment in ("prompted", "merged", "merged_requantised"):
            world.evals = {"base": EVALS, "tuned": EVALS, moment: frozenset({f"e1 {moment}"})}
            [line] = world.plan()
            assert line.rescore == (moment in moments)

    def test_a_moment_that_memory_did_not_allow_is_left_out_until_asked_for(self):
        merged = {"base": EVALS, "tuned": EVALS, "merged": frozenset({"e1 merged"})}
        world = World([arm(rates=(1e-3,), seeds=(1,))], measure=False, evals=merged)
        (cell,) = world.left()
        world.run(cell, reason="not scored once merged: out of memory")
        (line,) = world.plan()
        assert (line.state, line.reason) == ("done", "not scored once merged: out of memory")
        world.known.forget_failures()
        assert world.left() == [cell]

    def test_a_dpo_arm_has_the_moments_of_what_it_starts_from(self):
        on = {name: arm("dpo", parent=arm(name)).moments for name in ("full_sft", "lora", "qlora")}
        assert on == {
            "full_sft": ("tuned",),
            "lora": ("tuned", "merged"),
            "qlora": ("tuned", "merged", "merged_requantised"),
        }

    def test_a_killed_run_is_run_again_and_a_failed_one_only_if_asked(self):
        world = World([arm(rates=(1e-3,), seeds=(1,))], measure=False)
        cell = world.left()[0]
        world.run(cell, status="killed", reason="the runner died")
        assert world.left() == [cell]
        world.run(cell, status="oom", reason="out of memory")
        assert world.left() == []
        world.known.forget_failures()
        assert world.left() == [cell]

    @pytest.mark.parametrize("status", ["refused", "blocked"])
    def test_whether_it_can_run_is_worked_out_anew(self, status):
        world = World([arm("full_sft", rates=(1e-3,), seeds=(1,))], measure=False)
        (cell,) = world.left()
        world.run(cell, status=status, reason="a package was missing, or its SFT stage failed")
        assert world.left() == [cell]

    def test_a_refused_arm_says_why_and_runs_nothing(self):
        world = World([arm(refusal="needs a CUDA device")])
        assert world.left() == []
        assert {(line.state, line.reason) for line in world.plan()} == {("refused", "needs a CUDA device")}


@pytest.mark.parametrize("seeds", [(1,), (1, 2, 3), (1, 2, 3, 4, 5)])
def test_the_number_of_cells_is_known_from_the_start(seeds):
    sft = arm("lora", seeds=seeds)
    world = World([arm("base"), sft, arm("dpo", rates=(1e-4,), parent=sft, seeds=seeds)])
    before = len(world.plan())
    world.run_all(lambda c: c.learning_rate or 0)
    assert len(world.plan()) == before


def test_bases_run_first_then_sft_then_pairs_then_measure_runs():
    sft = arm("lora")
    world = World([arm("dpo", rates=(1e-4,), parent=sft), sft, arm("base")])
    kinds = [(line.arm.label, line.purpose) for line in world.plan()]
    first = {kind: kinds.index(kind) for kind in dict.fromkeys(kinds)}
    order = sorted(first, key=first.__getitem__)
    assert order[0] == ("base", "quality")
    assert order.index(("lora", "quality")) < order.index(("dpo", "quality")) < order.index(("lora", "measure"))
