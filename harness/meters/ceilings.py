"""What this device can do at most, measured on it: large matrix products, a large copy, and kernels that do nothing.

A training step is held against these, not against a data sheet: clocks, power limits and libraries are this machine's
own. On a CPU they are those of as many threads as the run has.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from harness.events import Ceilings

MEBI = 2**20


class Sizes(NamedTuple):
    """``side`` of square matrices, ``copied`` bytes, ``launches`` in a row, and how often each is done."""

    side: int
    copied: int
    launches: int
    repeats: int


# A side from which larger products are no faster; a copy that no cache holds.
ON_GPU = Sizes(side=8192, copied=512 * MEBI, launches=2000, repeats=10)
ON_CPU = Sizes(side=1024, copied=64 * MEBI, launches=2000, repeats=3)


def measure_ceilings(device: str) -> Ceilings:
    """Operations and bytes (read and written) a second, and seconds from one launch to the next, of ``device``.

    The fastest of several repeats: a ceiling is what is reached when nothing is in the way. Leaves no memory in use.
    """
    import torch

    sizes = ON_GPU if device.startswith("cuda") else ON_CPU
    timed = _Timed(device, sizes.repeats)
    found = Ceilings(
        bfloat16_flops=_product(timed, sizes, torch.bfloat16),
        float32_flops=_product(timed, sizes, torch.float32),
        bytes_per_second=_copy(timed, sizes),
        launch_seconds=_launches(timed, sizes),
    )
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    return found


def _product(timed: "_Timed", sizes: Sizes, dtype: Any) -> float:
    import torch

    left, right = (torch.randn(sizes.side, sizes.side, device=timed.device).to(dtype) for _ in range(2))
    into = torch.empty_like(left)
    return 2 * sizes.side**3 / timed.fastest(lambda: torch.mm(left, right, out=into))


def _copy(timed: "_Timed", sizes: Sizes) -> float:
    import torch

    source = torch.ones(sizes.copied, dtype=torch.uint8, device=timed.device)
    into = torch.empty_like(source)
    return 2 * sizes.copied / timed.fastest(lambda: into.copy_(source))


def _launches(timed: "_Timed", sizes: Sizes) -> float:
    import torch

    one = torch.zeros(1, device=timed.device)

    def launch() -> None:
        for _ in range(sizes.launches):
            one.add_(1)

    return timed.fastest(launch) / sizes.launches


class _Timed:
    """Seconds of something on a device that has nothing else to do."""

    def __init__(self, device: str, repeats: int) -> None:
        self.device, self.repeats = device, repeats

    def fastest(self, work: Callable[[], Any]) -> float:
        """Of several repeats, the first one left out: it makes handles and picks kernels."""
        return min([self._seconds(work) for _ in range(self.repeats + 1)][1:])

    def _seconds(self, work: Callable[[], Any]) -> float:
        self._wait()
        began = time.perf_counter()
        work()
        self._wait()
        return time.perf_counter() - began

    def _wait(self) -> None:
        if self.device.startswith("cuda"):
            import torch

            torch.cuda.synchronize(self.device)
