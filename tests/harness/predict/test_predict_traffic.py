"""Bytes and kernels between products against the operators of a real step on a CPU, counted one by one.

An operator reads its inputs and writes its outputs; a view moves nothing; what is repeated by a stride of zero is read
once. A GPU works on the loss's tiles in two kernels of its own, which a CPU cannot show.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from harness.predict.flops import products
from harness.predict.recipe import Adapter, Batch, Recipe
from harness.predict.shapes import read_shape
from harness.predict.traffic import Moved, Traffic, pass_traffic
from tests.harness.predict.models import loss_of, model_of

BFLOAT16: dict[str, Any] = {"weights": "bfloat16", "compute": "bfloat16", "device": "cpu"}
FULL = Recipe(**BFLOAT16)
RECIPES: dict[str, Recipe] = {
    "full_sft": FULL,
    "full_sft checkpointed": Recipe(**BFLOAT16, checkpointing=True),
    "full_sft in float32": Recipe(device="cpu"),
    "full_sft amp": Recipe(compute="bfloat16", device="cpu"),
    "full_sft eager": Recipe(**BFLOAT16, attention="eager"),
    "lora": Recipe(**BFLOAT16, adapter=Adapter(8)),
    "lora, query and value": Recipe(**BFLOAT16, adapter=Adapter(8, ("q_proj", "v_proj"))),
    "lora checkpointed": Recipe(**BFLOAT16, adapter=Adapter(8), checkpointing=True),
    "lora in bfloat16": Recipe(**BFLOAT16, adapter=Adapter(8), adapter_dtype="bfloat16"),
    "full_sft, whole logits": Recipe(**BFLOAT16, loss="whole"),
    "full_sft in float32, whole logits": Recipe(device="cpu", loss="whole"),
    "full_sft amp, whole logits": Recipe(compute="bfloat16", device="cpu", loss="whole"),
    "lora, whole logits": Recipe(**BFLOAT16, adapter=Adapter(8), loss="whole"),
}
BATCH = Batch(2, 256)


@pytest.mark.parametrize("name", ["small-llama", pytest.param("small-qwen2", marks=pytest.mark.extended)])
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_bytes_and_kernels_within_a_twentieth(name: str, recipe: Recipe) -> None:
    shape = read_shape(name)
    parts = {"linear", "adapters"} | ({"output"} if recipe.loss == "whole" else set())  # a tile's products are no mm
    found = pass_traffic(shape, recipe, BATCH)
    layers = sum(product.count for product in products(shape, recipe, BATCH) if product.part in parts)

    moved, multiplied = counted(name, recipe)

    assert found.bytes == pytest.approx(moved.bytes, rel=0.05)
    assert found.kernels == pytest.approx(moved.kernels, rel=0.05)
    assert layers == multiplied


@pytest.mark.parametrize("loss", ["chunked", "liger"])
def test_on_a_gpu_a_tile_of_logits_is_read_and_turned_into_its_gradient(loss: Any) -> None:
    shape, recipe = read_shape("small-llama"), Recipe(weights="bfloat16", compute="bfloat16", loss=loss)
    moved = Moved(shape, recipe, BATCH).logits_forward() + Moved(shape, recipe, BATCH).logits_backward()
    assert moved.bytes == moved.fresh == 3 * 2 * 2 * 255 * shape.vocabulary


def counted(name: str, recipe: Recipe) -> tuple[Traffic, int]:
    """What one forward and backward pass moves between products, and how many products of linear layers it has."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    aten = torch.ops.aten
    elsewhere = {
        aten.bmm, aten.addmm_, aten._scaled_dot_product_flash_attention_for_cpu,
        aten._scaled_dot_product_flash_attention_for_cpu_backward, aten.empty, aten.empty_like, aten.new_empty,
        aten.new_empty_strided, aten.empty_strided, aten._local_scalar_dense, aten.item, aten.scalar_tensor,
        aten._unsafe_view,
    }  # fmt: skip
    written_only = {aten.copy_, aten.zero_, aten.fill_}
    read_at_an_index = {
        aten.nll_loss_forward,
        aten.nll_loss_backward,
        aten.gather,
    }  # one number a row, of all that they are given

    class Counter(TorchDispatchMode):
        bytes, kernels, multiplied = 0, 0, 0

        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            out = function(*args, **(kwargs or {}))
            operator = function.overloadpacket
            if operator in (aten.mm, aten.addmm):
                self.multiplied += function is not aten.mm.out
            elif not (function.is_view or operator in elsewhere):
                self.count(operator, _tensors((args, kwargs)), list(_tensors(out)))
            return out

        def count(self, operator: Any, inputs: Iterator[Any], outputs: list[Any]) -> None:
            again = operator is aten.slice_backward  # writes zeros, and then the slice
            taken = [] if operator in read_at_an_index else list(inputs)[operator in written_only :]
            read = sum(map(_bytes, taken))
            self.bytes += read * (1 + again) + sum(map(_bytes, outputs))
            self.kernels += 1 + again

    torch.manual_seed(0)
    model = model_of(name, recipe, "cpu")
    tokens = torch.arange(BATCH.tokens).view(BATCH.rows, BATCH.length) % 1000 + 2
    with Counter() as counter:
        loss_of(model, tokens, recipe).backward()
    return Traffic(counter.bytes, counter.kernels), counter.multiplied


def _tensors(value: Any) -> Iterator[Any]:
    import torch
    from torch.utils._pytree import tree_leaves

    return (leaf for leaf in tree_leaves(value) if isinstance(leaf, torch.Tensor))


def _bytes(tensor: Any) -> int:
    elements = 1
    for size, stride in zip(tensor.shape, tensor.stride(), strict=True):
        elements *= size if stride else 1
    return elements * tensor.element_size()
