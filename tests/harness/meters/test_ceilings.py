"""What a device can do at most: of each kind of work, in the units that are told."""

from typing import Any

import pytest

import harness.meters.ceilings
from harness.meters.ceilings import Sizes, _Timed, measure_ceilings

SMALL = Sizes(side=64, attended=(2, 32, 8), copied=2**20, repeats=2)


def test_a_ceiling_is_work_over_the_seconds_of_the_fastest_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness.meters.ceilings, "ON_CPU", SMALL)
    monkeypatch.setattr(_Timed, "_seconds", lambda self, work: 0.5 if work() is not self else 0.0)

    found = measure_ceilings("cpu")

    assert found.float32_flops == found.bfloat16_flops == 2 * 64**3 / 0.5  # additions and multiplications
    assert found.bytes_per_second == 2 * 2**20 / 0.5  # read and written
    assert 400 < 0.5 / found.launch_seconds < 500  # kernels of a tiny model's forward and backward pass
    assert found.float32_attention_flops == found.bfloat16_attention_flops == 7 * 2 * 2 * 32**2 * 8 / 0.5
    assert found.fresh_bytes_per_second == 2 * 2**20 / 0.5


def test_the_first_of_all_repeats_does_not_count() -> None:
    timed, took = _Timed("cpu", repeats=3), iter([0.1, 4.0, 2.0, 3.0])
    timed._seconds = lambda work: next(took)  # type: ignore[method-assign]

    assert timed.fastest(lambda: None) == 2.0


def test_on_this_machine_a_large_product_is_no_slower_than_a_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    large = measure_ceilings("cpu")
    monkeypatch.setattr(harness.meters.ceilings, "ON_CPU", SMALL._replace(side=8))

    assert large.float32_flops > measure_ceilings("cpu").float32_flops
    assert 0 < large.launch_seconds < 1e-3


def test_on_a_gpu_the_clock_stops_when_the_device_has_done_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Any] = []
    monkeypatch.setattr("torch.cuda.synchronize", lambda device: said.append("waited"))

    _Timed("cuda:0", repeats=1)._seconds(lambda: said.append("launched"))

    assert said == ["waited", "launched", "waited"]
