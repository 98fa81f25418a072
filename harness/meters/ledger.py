"""An exact account of tensor bytes in training: what stands in memory when the total is highest.

Weights, quantisation state, adapters, gradients and optimizer state are counted from the tensors themselves.
Activations are what autograd keeps for the backward pass, seen through ``torch.autograd.graph.saved_tensors_hooks``:
each saved storage counts once, from the moment it is saved until the graph lets go of it, and storages that belong
to the model are not counted again. Temporaries inside one operation, and what gradient checkpointing computes a
second time, are not in it.
"""

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from harness.units import size_text


@dataclass(frozen=True)
class Account:
    """Bytes by component at one moment."""

    weights: int = 0
    quantisation: int = 0
    adapter: int = 0
    gradient: int = 0
    optimizer: int = 0
    activation: int = 0

    @property
    def total(self) -> int:
        """All components together."""
        return sum(asdict(self).values())

    def columns(self) -> dict[str, int]:
        """The account under the names of the table ``phases``."""
        return {f"ledger_{name}_bytes": value for name, value in asdict(self).items()}


class TensorLedger:
    """Watches training steps of ``model``; ``peak`` is the account at the highest total seen.

    With ``limit_bytes`` a higher total raises torch.OutOfMemoryError.

    A reference model that stands beside it is counted with its weights.
    """

    def __init__(self, model: Any, reference: Any = None) -> None:
        self.model = model
        self.optimizer: Any = None
        models = [model] if reference is None else [model, reference]
        self.weights, self.quantisation, self.adapter = map(sum, zip(*map(model_bytes, models), strict=True))
        self.owned = {_storage_key(tensor) for each in models for tensor in _model_tensors(each)}
        self.saved: dict[int, list[int]] = {}  # storage -> [bytes, holders]
        self.live_activation = 0
        self.gradients: dict[int, int] | None = None  # parameter -> bytes, in a step that is watched
        self.optimizer_bytes = 0  # of such a step, in which its state does not change
        self.peak = Account(self.weights, self.quantisation, self.adapter)
        self.on_note: Callable[[Account], None] = lambda account: None
        self.limit_bytes: int | None = None

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Around a training step (forward and backward; all micro-batches of it)."""
        import torch

        learned = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        handles = [parameter.register_post_accumulate_grad_hook(self._accumulated) for parameter in learned]
        self.gradients = {id(parameter): _bytes_of(parameter.grad) for parameter in learned}
        self.optimizer_bytes = optimizer_bytes(self.optimizer)
        try:
            with torch.autograd.graph.saved_tensors_hooks(self._pack, self._unpack):
                yield
        finally:
            self.gradients = None
            for handle in handles:
                handle.remove()
            self.note()

    def _accumulated(self, parameter: Any) -> None:
        assert self.gradients is not None
        self.gradients[id(parameter)] = _bytes_of(parameter.grad)
        self.note()

    def _pack(self, tensor: Any) -> Any:
        if tensor.device.type == "meta" or _storage_key(tensor) in self.owned:
            return (tensor, None)
        key, size = _storage_key(tensor), tensor.untyped_storage().nbytes()
        held = self.saved.setdefault(key, [size, 0])
        held[1] += 1
        if held[1] == 1:
            self.live_activation += size
            self.note()
        holder = _Holder()
        weakref.finalize(holder, self._release, key)
        return (tensor, holder)

    @staticmethod
    def _unpack(packed: Any) -> Any:
        return packed[0]

    def _release(self, key: int) -> None:
        held = self.saved[key]
        held[1] -= 1
        if held[1] == 0:
            self.live_activation -= held[0]
            del self.saved[key]

    def note(self) -> None:
        """Take the account as it stands."""
        if self.gradients is None:
            gradient, optimizer = _gradient_bytes(self.model), optimizer_bytes(self.optimizer)
        else:  # thousands of times a step: of what is known to change alone
            gradient, optimizer = sum(self.gradients.values()), self.optimizer_bytes
        account = Account(self.weights, self.quantisation, self.adapter, gradient, optimizer, self.live_activation)
        self.on_note(account)
        if account.total > self.peak.total:
            self.peak = account
        refuse_beyond(self.limit_bytes, account.total)


class _Holder:
    """Lives as long as autograd keeps the tensor it stands for."""

    __slots__ = ("__weakref__",)


def refuse_beyond(limit_bytes: int | None, total: int) -> None:
    """Raises torch.OutOfMemoryError, as a device of ``limit_bytes`` would, for tensors of more than that."""
    if limit_bytes is not None and total > limit_bytes:
        import torch

        raise torch.OutOfMemoryError(f"tensors of {size_text(total)} in the ledger")


def model_bytes(model: Any) -> tuple[int, int, int]:
    """Bytes of weights and buffers, of quantisation state, and of adapters; shared storages count once."""
    quantisation = {_storage_key(t): t.untyped_storage().nbytes() for t in _quantisation_tensors(model)}
    prefix = getattr(getattr(model, "base_model", None), "prefix", "lora_")  # PEFT's, of this kind of adapter
    adapter: dict[int, int] = {}
    weights: dict[int, int] = {}
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        key = _storage_key(tensor)
        if key not in quantisation:
            into = adapter if prefix in name or "modules_to_save" in name else weights
            into[key] = tensor.untyped_storage().nbytes()
    return sum(weights.values()), sum(quantisation.values()), sum(adapter.values())


def optimizer_bytes(optimizer: Any) -> int:
    """Bytes of an optimizer's state tensors; 0 before its first step."""
    optimizer = getattr(optimizer, "optimizer", optimizer)  # accelerate wraps it
    state = getattr(optimizer, "state", {})
    tensors = [value for entry in state.values() for value in entry.values() if hasattr(value, "untyped_storage")]
    return sum({_storage_key(t): t.untyped_storage().nbytes() for t in tensors}.values())


def _gradient_bytes(model: Any) -> int:
    return sum(_bytes_of(parameter.grad) for parameter in model.parameters())


def _bytes_of(tensor: Any) -> int:
    return 0 if tensor is None else int(tensor.untyped_storage().nbytes())


def _model_tensors(model: Any) -> Iterator[Any]:
    yield from model.parameters()
    yield from model.buffers()
    yield from _quantisation_tensors(model)


def _quantisation_tensors(model: Any) -> Iterator[Any]:
    for parameter in model.parameters():
        state = getattr(parameter, "quant_state", None)
        while state is not None:
            for name in ("absmax", "code", "offset"):
                tensor = getattr(state, name, None)
                if hasattr(tensor, "untyped_storage"):
                    yield tensor
            state = getattr(state, "state2", None)


def _storage_key(tensor: Any) -> int:
    return int(tensor.untyped_storage().data_ptr())
