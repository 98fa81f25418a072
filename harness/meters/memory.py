"""Peak memory of one phase: allocated, reserved, device and resident bytes are different numbers.

* allocated and reserved: PyTorch's CUDA caching allocator, peaks reset at the phase's start;
* device: this process' share of the GPU's memory as the driver sees it (NVML), sampled;
* resident: the highest resident set in the phase (``VmHWM``, reset through ``/proc/self/clear_refs``), to be read
  as an increase over the phase's start, since a process holds hundreds of megabytes of libraries.
"""

import contextlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from harness.meters.nvml import device_handle

# PyTorch gives little back to the device, so that its share hardly falls; to ask more often would slow what is timed.
SAMPLE_SECONDS = 0.25


@dataclass(frozen=True)
class Peaks:
    """Of PyTorch's caching allocator, in bytes; None where there is none."""

    allocated: int | None = None
    reserved: int | None = None

    def higher(self, other: "Peaks") -> "Peaks":
        """The higher of each."""
        return Peaks(_higher(self.allocated, other.allocated), _higher(self.reserved, other.reserved))


def _higher(one: int | None, other: int | None) -> int | None:
    return max((value for value in (one, other) if value is not None), default=None)


class MemoryMeter:
    """Watches one phase: ``start()``, then ``stop()`` gives its figures. What a machine lacks stays None."""

    def __init__(self, device: str) -> None:
        self.on_cuda = device.startswith("cuda")
        self.nvml = _NvmlSampler() if self.on_cuda else None
        self.rss_start = 0
        self.highest = Peaks()

    def start(self) -> None:
        """Reset every peak."""
        self.highest = Peaks()
        if self.on_cuda:
            import torch

            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
        if self.nvml:
            self.nvml.start()
        _reset_resident_peak()
        self.rss_start = psutil.Process().memory_info().rss

    def forget(self) -> None:
        """Peaks so far are not the phase's own: the allocator's start anew."""
        if self.on_cuda:
            import torch

            torch.cuda.empty_cache()
        self.lap()
        self.highest = Peaks()

    def stop(self) -> dict[str, int | None]:
        """The phase's peaks, in bytes, under the names of the table ``phases``."""
        figures: dict[str, int | None] = {
            "rss_start_bytes": self.rss_start,
            "rss_peak_bytes": _resident_peak() or psutil.Process().memory_info().rss,
        }
        if self.on_cuda:
            import torch

            torch.cuda.synchronize()
            self.lap()
            figures["peak_allocated_bytes"] = self.highest.allocated
            figures["peak_reserved_bytes"] = self.highest.reserved
        if self.nvml:
            figures["peak_device_bytes"] = self.nvml.stop()
        return figures

    def lap(self) -> Peaks:
        """The allocator's peaks since the last lap, which start anew; the phase's own stay the highest of all.

        The host runs ahead of the device, but what the allocator counts it counts on the host.
        """
        if not self.on_cuda:
            return Peaks()
        import torch

        statistics = torch.cuda.memory_stats()
        lap = Peaks(statistics["allocated_bytes.all.peak"], statistics["reserved_bytes.all.peak"])
        torch.cuda.reset_peak_memory_stats()
        self.highest = self.highest.higher(lap)
        return lap


class _NvmlSampler:
    """Samples this process' bytes on the device from a thread; NVML has no peak of its own."""

    def __init__(self) -> None:
        self.handle: Any = device_handle()
        self.peak: int | None = None
        self.stopping = threading.Event()
        self.thread: threading.Thread | None = None

    def start(self) -> None:
        if self.handle is None:
            return
        self.peak = self._read()
        self.stopping.clear()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def stop(self) -> int | None:
        if self.thread is not None:
            self.stopping.set()
            self.thread.join()
            self._note(self._read())
        return self.peak

    def _watch(self) -> None:
        while not self.stopping.wait(SAMPLE_SECONDS):
            self._note(self._read())

    def _note(self, value: int | None) -> None:
        if value is not None:
            self.peak = max(self.peak or 0, value)

    def _read(self) -> int | None:
        import pynvml

        try:
            processes = pynvml.nvmlDeviceGetComputeRunningProcesses(self.handle)
            mine = [p.usedGpuMemory for p in processes if p.pid == os.getpid() and p.usedGpuMemory]
            if mine:
                return int(mine[0])
            # In a container the driver's process ids are not ours: alone on the device, its used bytes are this
            # process'.
            return int(pynvml.nvmlDeviceGetMemoryInfo(self.handle).used) if len(processes) <= 1 else None
        except pynvml.NVMLError:
            return None


def _reset_resident_peak() -> None:
    with contextlib.suppress(OSError):  # not Linux, or not permitted: the peak is then the process' whole life's
        Path("/proc/self/clear_refs").write_text("5")


def _resident_peak() -> int | None:
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), None)
    return int(line.split()[1]) * 1024 if line else None
