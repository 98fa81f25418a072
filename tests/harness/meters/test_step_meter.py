"""What is measured of a training's steps: memory in those that are watched, time in the others."""

from pathlib import Path
from typing import Any

import pytest

import harness.meters.steps
import harness.training
from harness.assignment import Turns
from harness.events import Measured
from harness.meters.energy import EnergyMeter
from harness.meters.memory import MemoryMeter, Peaks
from harness.meters.parts import StepParts
from tests.methods.cells import assignment, prepared, run, stage, train

FULL = stage("full_sft", steps=3)


def measured(folder: Path, *stages: dict[str, Any], **settings: Any) -> Measured:
    found = train(folder, *stages, purpose="measure", **settings)[0].measured()
    assert found is not None
    return found


def test_parts_have_quartiles_of_the_steps_that_were_not_watched(tmp_path: Path) -> None:
    parts = {part.part: part for part in measured(tmp_path, FULL, measure_steps=4).parts}

    assert set(parts) == {"data", "forward", "backward", "optimizer", "step"}
    for part in parts.values():
        assert 0 < part.seconds_p25 <= part.seconds_median <= part.seconds_p75  # type: ignore[operator]


def test_the_highest_part_of_the_ledger_is_the_phases_peak(tmp_path: Path) -> None:
    training, _ = train(tmp_path, FULL, purpose="measure")
    assert training.meter is not None and training.meter.ledger is not None

    told = training.measured()

    assert told is not None
    assert max(part.peak_ledger_bytes or 0 for part in told.parts) == training.meter.ledger.peak.total


def test_gradients_stand_when_the_optimizer_begins(tmp_path: Path) -> None:
    timeline = measured(tmp_path, FULL).timeline

    first = timeline["part"].index("optimizer")
    assert timeline["gradient"][first] == pytest.approx(timeline["weights"][0], rel=1e-3)  # buffers have none
    assert timeline["part"][0] == "data"
    assert max(timeline["activation"]) > 0


def test_a_quality_run_watches_nothing_and_tells_nothing(tmp_path: Path) -> None:
    training, _ = train(tmp_path, FULL)

    assert training.measured() is None
    assert training.meter is not None and training.meter.ledger is None


class TestEnergy:
    """By a counter that a stub stands for: it is four joules further each time that it is read."""

    @pytest.fixture
    def steps_at_readings(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """How many steps had ended at each reading."""
        ended: list[int] = []
        seconds: list[list[Any]] = []

        class Counter(EnergyMeter):
            def _millijoules(self) -> int:
                ended.append(len(seconds[-1]))
                return 4000 * len(ended)

        class Parts(StepParts):
            def __init__(self, device: str) -> None:
                super().__init__(device)
                seconds.append(self.seconds)

        monkeypatch.setattr(harness.training, "EnergyMeter", Counter)
        monkeypatch.setattr(harness.meters.steps, "StepParts", Parts)
        return ended

    @pytest.fixture
    def however_short(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(harness.meters.steps, "SHORTEST_SECONDS", 0.0)

    def test_is_read_as_the_first_timed_step_begins_and_as_the_last_has_ended(
        self, tmp_path: Path, steps_at_readings: list[int], however_short: None
    ) -> None:
        training, _ = train(tmp_path, FULL, purpose="measure", measure_warmup_steps=3, measure_steps=4)
        told = training.measured()

        assert told is not None
        assert steps_at_readings == [3, 3 + 4]
        *parts, step = told.parts
        assert (step.timed_joules, step.timed_tokens) == (4.0, sum(training.recorder.step_tokens[3:]))
        assert {(part.timed_joules, part.timed_tokens) for part in parts} == {(None, None)}

    def test_of_less_than_a_second_is_not_told_since_the_counter_is_coarser(
        self, tmp_path: Path, steps_at_readings: list[int]
    ) -> None:
        step = measured(tmp_path, FULL, measure_steps=2).parts[-1]

        assert len(steps_at_readings) == 2
        assert step.timed_joules is None and step.timed_tokens

    def test_is_nobodys_where_two_sides_take_turns(
        self, tmp_path: Path, steps_at_readings: list[int], however_short: None
    ) -> None:
        training = prepared(tmp_path, FULL, purpose="measure")
        turns = Turns(mine="mine", theirs="theirs", first=True)
        training.assignment = training.assignment.model_copy(update={"turns": turns})

        training.run(MemoryMeter("cpu"))

        told = training.measured()
        assert told is not None
        assert steps_at_readings == [] and told.parts[-1].timed_joules is None

    def test_is_not_counted_in_a_quality_run(self, tmp_path: Path, steps_at_readings: list[int]) -> None:
        train(tmp_path, FULL)

        assert steps_at_readings == []

    def test_of_a_machine_without_a_counter_is_not_told(self, tmp_path: Path, however_short: None) -> None:
        assert measured(tmp_path, FULL, measure_steps=2).parts[-1].timed_joules is None


def test_a_cell_tells_what_its_device_can_do_before_it_loads_and_its_steps_after_it_trained(tmp_path: Path) -> None:
    kinds = [event.type for event in run(assignment(tmp_path, FULL, purpose="measure"))]  # type: ignore[attr-defined]

    assert kinds.index("ceilings") < kinds.index("phase_started")
    assert kinds.index("trained") < kinds.index("measured")


def test_a_gpus_peaks_are_taken_by_part_and_the_phases_own_is_the_highest(monkeypatch: pytest.MonkeyPatch) -> None:
    laps = iter([(50, 60), (90, 95), (20, 95)])
    monkeypatch.setattr("torch.cuda.synchronize", lambda: None)
    monkeypatch.setattr("torch.cuda.reset_peak_memory_stats", lambda: None)
    monkeypatch.setattr(
        "torch.cuda.memory_stats",
        lambda: dict(zip(("allocated_bytes.all.peak", "reserved_bytes.all.peak"), next(laps), strict=True)),
    )
    memory = MemoryMeter("cuda:0")
    memory.nvml = None
    memory.start()

    assert [memory.lap(), memory.lap()] == [Peaks(50, 60), Peaks(90, 95)]
    figures = memory.stop()
    assert (figures["peak_allocated_bytes"], figures["peak_reserved_bytes"]) == (90, 95)


def test_without_an_allocator_there_is_no_peak_of_it() -> None:
    assert MemoryMeter("cpu").lap() == Peaks(None, None)
    assert Peaks(None, 3).higher(Peaks(2, None)) == Peaks(2, 3)
