"""What this device can do at most, measured on it: large matrix products, fused attention, a large copy, a large tensor
that is made, and kernels of a model so small that issuing them is all the time that they take.

A training step is held against these, not against a data sheet: clocks, power limits and libraries are this machine's
own. On a CPU they are those of as many threads as the run has.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from harness.events import Ceilings

MEBI = 2**20
TINY = {"model_type": "llama", "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 4, "vocab_size": 32}
TINY |= {"num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 16}
TINY_TOKENS = 4


class Sizes(NamedTuple):
    """``side`` of square matrices, ``attended`` heads, positions and their width, ``copied`` bytes, and how often each
    is done."""

    side: int
    attended: tuple[int, int, int]
    copied: int
    repeats: int


# A side from which larger products are no faster; a copy that no cache holds.
ON_GPU = Sizes(side=8192, attended=(32, 4096, 128), copied=512 * MEBI, repeats=10)
ON_CPU = Sizes(side=1024, attended=(8, 512, 64), copied=64 * MEBI, repeats=5)


def measure_ceilings(device: str) -> Ceilings:
    """Operations and bytes (read and written) a second, and seconds for a small kernel with all that issues it, of
    ``device``.

    The fastest of several repeats: a ceiling is what is reached when nothing is in the way. Leaves no memory in use.
    """
    import torch

    sizes = ON_GPU if device.startswith("cuda") else ON_CPU
    timed = _Timed(device, sizes.repeats)
    found = Ceilings(
        bfloat16_flops=_product(timed, sizes, torch.bfloat16),
        float32_flops=_product(timed, sizes, torch.float32),
        bytes_per_second=_copy(timed, sizes),
        launch_seconds=_launches(timed),
        bfloat16_attention_flops=_attention(timed, sizes, torch.bfloat16),
        float32_attention_flops=_attention(timed, sizes, torch.float32),
        fresh_bytes_per_second=_fresh(timed, sizes),
    )
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    return found


def _product(timed: "_Timed", sizes: Sizes, dtype: Any) -> float:
    import torch

    left, right = (torch.randn(sizes.side, sizes.side, device=timed.device).to(dtype) for _ in range(2))
    into = torch.empty_like(left)
    return 2 * sizes.side**3 / timed.fastest(lambda: torch.mm(left, right, out=into))


def _attention(timed: "_Timed", sizes: Sizes, dtype: Any) -> float | None:
    """Forward and backward, nothing masked: two products of positions x positions x width for each head, and five.
    None where there is no room, as where only the unfused kernel will do."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    heads, length, width = sizes.attended
    q, k, v = (torch.randn(1, heads, length, width, device=timed.device).to(dtype).requires_grad_() for _ in range(3))
    gradient = torch.ones_like(q)

    def attend() -> None:
        torch.autograd.grad(scaled_dot_product_attention(q, k, v), (q, k, v), gradient)

    try:
        return 7 * 2 * heads * length**2 * width / timed.fastest(attend)
    except torch.OutOfMemoryError:
        return None


def _fresh(timed: "_Timed", sizes: Sizes) -> float:
    """On a GPU the allocator keeps memory at hand; on a CPU that of a large tensor is asked for anew each time."""
    import torch

    source = torch.ones(sizes.copied // 4, device=timed.device)
    return 2 * sizes.copied / timed.fastest(lambda: source * 2)


def _copy(timed: "_Timed", sizes: Sizes) -> float:
    import torch

    source = torch.ones(sizes.copied, dtype=torch.uint8, device=timed.device)
    into = torch.empty_like(source)
    return 2 * sizes.copied / timed.fastest(lambda: into.copy_(source))


def _launches(timed: "_Timed") -> float:
    """Of a tiny Llama's forward and backward pass: what Transformers, autograd and the driver take for each kernel."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig

    with torch.device(timed.device):
        model = AutoModelForCausalLM.from_config(
            LlamaConfig.from_dict(TINY), dtype=torch.float32, attn_implementation="sdpa"
        )
        tokens = torch.zeros(1, TINY_TOKENS, dtype=torch.long)

    def step() -> None:
        loss = model(input_ids=tokens, labels=tokens, use_cache=False).loss
        torch.autograd.grad(loss, list(model.parameters()))

    return timed.fastest(step) / _kernels(step)


def _kernels(work: Callable[[], Any]) -> int:
    """How many operators ``work`` calls that are more than a view or a place in memory."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Counter(TorchDispatchMode):
        found = 0

        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            self.found += not (function.is_view or "empty" in function.__name__)
            return function(*args, **(kwargs or {}))

    with Counter() as counter:
        work()
    return counter.found


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
