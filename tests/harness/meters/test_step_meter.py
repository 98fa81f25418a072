"""What is measured of a training's steps: memory in those that are watched, time in the others."""

from pathlib import Path
from typing import Any

import pytest

from harness.events import Measured
from harness.meters.memory import MemoryMeter, Peaks
from tests.methods.cells import assignment, run, stage, train

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
