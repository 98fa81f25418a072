"""Energy of a phase from the GPU's own counter (NVML), where it has one."""

from typing import Any

from harness.meters.nvml import device_handle


class EnergyMeter:
    """``start()``, then ``stop()`` gives joules, or None where there is no counter."""

    def __init__(self, device: str) -> None:
        self.handle: Any = device_handle() if device.startswith("cuda") else None
        self.before: int | None = None

    def start(self) -> None:
        """Remember the counter."""
        self.before = self._millijoules()

    def stop(self) -> float | None:
        """Joules since ``start()``."""
        after = self._millijoules()
        return None if after is None or self.before is None else (after - self.before) / 1000

    def _millijoules(self) -> int | None:
        if self.handle is None:
            return None
        import pynvml

        try:
            return int(pynvml.nvmlDeviceGetTotalEnergyConsumption(self.handle))
        except pynvml.NVMLError:
            return None
