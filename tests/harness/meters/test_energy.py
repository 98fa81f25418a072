"""Joules by a GPU's counter, which a stub stands for."""

import pynvml
import pytest

import harness.meters.energy
from harness.meters.energy import EnergyMeter


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the counter says, in millijoules, one reading after the other; without one it fails."""
    readings: list[int] = []

    def read(handle: str) -> int:
        assert handle == "gpu"
        if not readings:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return readings.pop(0)

    monkeypatch.setattr(harness.meters.energy, "device_handle", lambda: "gpu")
    monkeypatch.setattr(pynvml, "nvmlDeviceGetTotalEnergyConsumption", read)
    return readings


def joules(device: str = "cuda:0") -> float | None:
    meter = EnergyMeter(device)
    meter.start()
    return meter.stop()


def test_joules_are_what_the_counter_went_up_by(counter: list[int]) -> None:
    counter += [7_000, 12_500]

    assert joules() == 5.5


@pytest.mark.parametrize("readings", [[], [7_000]])
def test_a_gpu_that_has_no_counter_or_loses_it_has_none(counter: list[int], readings: list[int]) -> None:
    counter += readings

    assert joules() is None


def test_a_cpu_has_no_energy_counter(counter: list[int]) -> None:
    counter += [7_000, 12_500]

    assert joules("cpu") is None
