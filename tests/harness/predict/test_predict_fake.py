"""Real shapes against a training step without storage: FakeTensorMode runs it, PyTorch's MemTracker counts it.

It runs the CPU's attention, and TRL's own fused output layer and loss, with its tiles worked on in place as on a GPU.
Tokens without values tell nobody whether there
is padding, so that the model always masks; a batch without padding is told to it by taking the mask away.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest

from harness.predict.layers import held_by_checkpoints
from harness.predict.memory import activation_parts, gradient_bytes, memory
from harness.predict.optimizer import optimizer_bytes
from harness.predict.recipe import Adapter, Batch, Recipe
from harness.predict.shapes import read_shape
from harness.predict.weights import adapter_bytes, weights_bytes
from tests.harness.predict.models import loss_of, model_of, tiles_in_place

pytestmark = pytest.mark.slow

LLAMA = "transformers.models.llama.modeling_llama"
BFLOAT16: dict[str, Any] = {"weights": "bfloat16", "compute": "bfloat16", "device": "cpu"}
FULL = Recipe(**BFLOAT16)
LORA = Recipe(**BFLOAT16, adapter=Adapter(16))
WHOLE = Recipe(**BFLOAT16, adapter=Adapter(16), loss="whole")
CHECKPOINTED = Recipe(**BFLOAT16, adapter=Adapter(16, ("q_proj", "v_proj")), checkpointing=True)


@dataclass(frozen=True)
class Counted:
    """Bytes of one step: of everything that stands, of activations as the forward pass ends, and of all at the most."""

    parameters: int
    buffers: int
    gradients: int
    optimizer: int
    activations: int
    peak: int


@pytest.mark.parametrize(
    "recipe",
    [FULL, *(pytest.param(one, marks=pytest.mark.extended) for one in (LORA, CHECKPOINTED, WHOLE))],
    ids=["full_sft", "lora", "lora checkpointed", "lora, whole logits"],
)
@pytest.mark.parametrize(
    "batch",
    [pytest.param(Batch(1, 2048), marks=pytest.mark.extended), Batch(2, 1024, padded=True)],
    ids=["1 x 2048", "2 x 1024 padded"],
)
def test_llama_3_2_1b(recipe: Recipe, batch: Batch) -> None:
    shape = read_shape("llama-3.2-1b")

    counted = step_without_storage("llama-3.2-1b", recipe, batch)

    assert counted.parameters + counted.buffers == weights_bytes(shape, recipe) + adapter_bytes(shape, recipe)
    assert counted.gradients == gradient_bytes(shape, recipe)
    assert counted.optimizer == optimizer_bytes(shape, recipe)
    kept = sum(activation_parts(shape, recipe, batch).values()) + held_by_checkpoints(shape, recipe, batch)
    assert counted.activations == pytest.approx(kept, rel=0.01)
    assert counted.peak == pytest.approx(memory(shape, recipe, batch).total, rel=0.01)


def step_without_storage(name: str, recipe: Recipe, batch: Batch) -> Counted:
    """The second of two training steps, when the optimizer has its state."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.distributed._tools.mem_tracker import MemTracker

    model = model_of(name, recipe, "meta")
    with FakeTensorMode(), tiles_in_place():
        _give_fake_storage(model)
        learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
        optimizer = torch.optim.AdamW(learned, fused=True)
        tokens = torch.zeros(batch.rows, batch.length, dtype=torch.int64)
        with nullcontext() if batch.padded else patch(f"{LLAMA}.create_causal_mask", return_value=None):
            loss_of(model, tokens, recipe).backward()
            optimizer.step()
            optimizer.zero_grad()
            tracker = MemTracker()
            tracker.track_external(model, optimizer)
            _leave_out_hooks_of_frozen_parameters(tracker, model)
            with tracker:
                loss = loss_of(model, tokens, recipe)
                forward = _snapshot(tracker)
                loss.backward()
                backward = _snapshot(tracker)
                peak = _snapshot(tracker, "peak")["Total"]
    return Counted(
        parameters=backward["Parameter"],
        buffers=backward["Buffer"],
        gradients=backward["Gradient"],
        optimizer=backward["Optstate"],
        activations=forward["Activation"],
        peak=peak,
    )


def _give_fake_storage(model: Any) -> None:
    """Every parameter and buffer of a model on the meta device is put on the CPU, tied ones once; in a fake mode."""
    import torch

    given: dict[int, Any] = {}
    for module in model.modules():
        for name, old in [*module._parameters.items(), *module._buffers.items()]:
            if old is None:
                continue
            if id(old) not in given:
                new = torch.empty(old.shape, dtype=old.dtype)
                is_parameter = isinstance(old, torch.nn.Parameter)
                given[id(old)] = (old, torch.nn.Parameter(new, old.requires_grad) if is_parameter else new)
            (module._parameters if name in module._parameters else module._buffers)[name] = given[id(old)][1]


class _NoHook:
    def remove(self) -> None:
        """Nothing was registered."""


def _leave_out_hooks_of_frozen_parameters(tracker: Any, model: Any) -> None:
    """MemTracker hooks every parameter's gradient, which PyTorch refuses where there is none."""
    for parameter in model.parameters():
        if not parameter.requires_grad:
            tracker._param_to_grad_hook_handles[parameter] = (_NoHook(), _NoHook())


def _snapshot(tracker: Any, moment: str = "current") -> dict[str, int]:
    """Bytes by kind, of all devices."""
    found: dict[str, int] = {}
    for kinds in tracker.get_tracker_snapshot(moment).values():
        for kind, size in kinds.items():
            name = getattr(kind, "value", kind)
            found[name] = found.get(name, 0) + size
    return found
