"""Memory of a phase on a machine without a GPU."""

import sys

import pytest
import torch

from harness.meters.memory import MemoryMeter

BLOCK = 64 * 2**20


def peak_increase(megabytes_used: int) -> int:
    meter = MemoryMeter("cpu")
    meter.start()
    if megabytes_used:
        block = torch.ones(megabytes_used * 2**20, dtype=torch.uint8)
        del block
    figures = meter.stop()
    return int(figures["rss_peak_bytes"] or 0) - int(figures["rss_start_bytes"] or 0)


@pytest.mark.skipif(sys.platform != "linux", reason="resident peaks come from /proc")
def test_the_resident_peak_of_a_phase_is_what_it_used_though_it_gave_it_back() -> None:
    assert peak_increase(64) == pytest.approx(BLOCK, rel=0.1)


@pytest.mark.skipif(sys.platform != "linux", reason="resident peaks come from /proc")
def test_the_peak_of_one_phase_is_not_carried_into_the_next() -> None:
    peak_increase(64)

    assert peak_increase(0) < BLOCK / 8


def test_what_a_machine_lacks_is_not_reported() -> None:
    meter = MemoryMeter("cpu")
    meter.start()

    assert meter.stop().keys() == {"rss_start_bytes", "rss_peak_bytes"}


def test_what_is_forgotten_is_in_no_peak_of_the_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    """The allocator's peaks, told by a stub: 900 while logits are looked at, 300 in training."""
    peaks = iter([900, 300])
    told = {"memory_stats": lambda: dict.fromkeys(("allocated_bytes.all.peak", "reserved_bytes.all.peak"), next(peaks))}
    for name in ("empty_cache", "reset_peak_memory_stats", "synchronize"):
        told[name] = lambda: {}
    for name, answer in told.items():
        monkeypatch.setattr(torch.cuda, name, answer)
    meter = MemoryMeter("cpu")
    meter.on_cuda = True

    meter.forget()

    assert meter.stop()["peak_allocated_bytes"] == 300
