"""A limit on a run's memory, so that a large device answers for a small card.

On CUDA it is PyTorch's allocator that is held to it: what it would take from the device beyond the limit it refuses, as
it does where a card is full. A CPU has no allocator that could be asked, so that there the tensor ledger ends a measure
run (``harness.meters.ledger``), and other runs are not limited.
"""

from dataclasses import dataclass

from harness.units import plain_size


@dataclass(frozen=True)
class MemoryLimit:
    """A card's memory, of which ``overhead_bytes`` are left for what no allocator hands out: a device's context."""

    vram_bytes: int
    overhead_bytes: int = 0

    @property
    def usable_bytes(self) -> int:
        """What is there for tensors, and for what the allocator loses between them."""
        return self.vram_bytes - self.overhead_bytes

    @property
    def words(self) -> str:
        """``24 GB``."""
        return plain_size(self.vram_bytes)

    def facts(self) -> dict[str, int]:
        """Of the stack that runs under it."""
        overhead = {"memory_limit_overhead_bytes": self.overhead_bytes} if self.overhead_bytes else {}
        return {"memory_limit_bytes": self.vram_bytes, **overhead}


def impose(limit: MemoryLimit | None, device: str) -> None:
    """Hold this process' allocator on ``device`` to ``limit``; on a CPU nothing can be."""
    if limit is None or device == "cpu":
        return
    import torch

    _, total = torch.cuda.mem_get_info()  # the total that the allocator takes the fraction of
    torch.cuda.set_per_process_memory_fraction(min(1.0, limit.usable_bytes / total))
