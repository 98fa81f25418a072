"""FLOPs by formula against PyTorch's counter, over training steps as the harness runs them: equal, to the last one.

The counter knows fused attention by its GPU operators and accumulated products by one name: the CPU's are given the
same formulas, PyTorch's own. A 4-bit product is an operator of bitsandbytes, which it does not know.
"""

import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from harness.bases.config import read_config
from harness.predict.flops import step_flops
from harness.predict.recipe import Adapter, Batch, Recipe, batch_of, recipe_of
from harness.predict.shape import shape_of
from harness.predict.shapes import read_shape
from tests.harness.predict.steps import MORE_SHAPES, SMALLEST, base_of
from tests.methods.cells import assignment, run, stage, train

QUERY_AND_VALUE = {"target_modules": ["q_proj", "v_proj"]}
LAST_LAYERS = {"target_modules": r".*layers\.[23]\.(self_attn|mlp)\.(k_proj|down_proj)"}
BFLOAT16 = {"weights": "bfloat16", "compute": "bfloat16"}
METHODS = {
    "full_sft": stage("full_sft"),
    "lora": stage("lora", rank=4),
    "lora, query and value": stage("lora", rank=16, **QUERY_AND_VALUE),
    "lora, last layers": stage("lora", rank=4, **LAST_LAYERS),
    "qlora": stage("qlora", rank=8),
}


def counted_and_predicted(folder: Path, *stages: dict[str, Any], shape: str, **settings: Any) -> tuple[list[int], ...]:
    """FLOPs of each training step of the last of ``stages``, as PyTorch counts them and as they are predicted."""
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import Trainer

    base, counted, batches = base_of(shape, folder), [], []
    plain_step = Trainer.training_step

    def counted_step(trainer: Any, model: Any, inputs: dict[str, Any], *rest: Any) -> Any:
        batches.append(batch_seen(inputs))
        with FlopCounterMode(display=False, custom_mapping=_cpu_operators()) as counter:
            loss = plain_step(trainer, model, inputs, *rest)
        counted.append(counter.get_total_flops())
        return loss

    with patch.object(Trainer, "training_step", counted_step):
        training, _ = train(folder, *stages, **base, **settings)
    recipe = recipe_of([one.stage for one in training.assignment.stages], training.assignment.execution, "cpu")
    sizes = shape_of(read_config(base["base"] / "config.json"), shape)
    return counted, [step_flops(sizes, recipe, batch).hardware for batch in batches]


def batch_seen(inputs: dict[str, Any]) -> Batch:
    """What a trainer was given; of packed examples their bounds are told."""
    bounds = inputs.get("cu_seq_lens_q")
    return Batch(*inputs["input_ids"].shape, packed=() if bounds is None else tuple(bounds.diff().tolist()))


def _cpu_operators() -> dict[Any, Any]:
    import torch
    from torch.utils.flop_counter import flop_registry

    def known(operator: Any) -> Any:
        formula = partial(flop_registry[operator])
        formula._get_raw = True  # it reads the shapes by itself
        return formula

    aten = torch.ops.aten
    return {
        aten._scaled_dot_product_flash_attention_for_cpu: known(aten._scaled_dot_product_flash_attention),
        aten._scaled_dot_product_flash_attention_for_cpu_backward: known(
            aten._scaled_dot_product_flash_attention_backward
        ),
        aten.addmm_: known(aten.addmm),
        torch.ops.bitsandbytes.gemm_4bit: _of_4_bit,
    }


def _of_4_bit(inputs: Any, packed: Any, weight: Any, *rest: Any, out_shape: Any = None, **options: Any) -> int:
    """bitsandbytes' own operator: out of 4 bit and multiplied, of a weight that is outputs x inputs."""
    return 2 * math.prod(inputs) * weight[0]


@pytest.mark.parametrize("shape", MORE_SHAPES)
@pytest.mark.parametrize("checkpointing", [False, True], ids=["", "checkpointed"])
@pytest.mark.parametrize("method", METHODS)
def test_each_method_on_each_small_shape(tmp_path: Path, shape: str, method: str, checkpointing: bool) -> None:
    counted, predicted = counted_and_predicted(
        tmp_path, METHODS[method], shape=shape, gradient_checkpointing=checkpointing
    )

    assert len(counted) > 1
    assert predicted == counted


@pytest.mark.parametrize("shape", MORE_SHAPES)
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("full_sft", {"reference": "model"}),
        ("full_sft", {"reference": "precomputed"}),
        *(("lora", {"adapter": adapter}) for adapter in ("continue", "fresh")),
        *(pytest.param("qlora", {"adapter": one}, marks=pytest.mark.extended) for one in ("continue", "fresh")),
    ],
)
def test_dpo_and_its_reference(tmp_path: Path, shape: str, first: str, second: dict[str, str]) -> None:
    before = stage(first, steps=1)
    run(assignment(tmp_path, before, **base_of(shape, tmp_path)))

    counted, predicted = counted_and_predicted(
        tmp_path, before, stage("dpo", starts_from=before, **second), shape=shape
    )

    assert predicted == counted


@pytest.mark.parametrize("method", ["full_sft", "lora, last layers", pytest.param("lora", marks=pytest.mark.extended)])
@pytest.mark.parametrize(
    ("stage_settings", "execution"),
    [
        ({}, {"attention": "eager"}),
        ({}, {"attention": "eager", "gradient_checkpointing": True}),
        ({"precision": BFLOAT16}, {}),
        ({"precision": {"weights": "float32", "compute": "bfloat16"}}, {}),
        ({}, {"micro_batch_size": 2}),
        ({}, {"packing": True}),
        ({}, {"packing": True, "attention": "eager", "gradient_checkpointing": True}),
        ({}, {"loss": "whole"}),
    ],
    ids=lambda settings: " ".join(map(str, settings.values())),
)
def test_other_ways_to_run_a_step(
    tmp_path: Path, method: str, stage_settings: dict[str, Any], execution: dict[str, Any]
) -> None:
    counted, predicted = counted_and_predicted(
        tmp_path, METHODS[method] | _precision(method, stage_settings), shape=SMALLEST, **execution
    )

    assert predicted == counted


def _precision(method: str, settings: dict[str, Any]) -> dict[str, Any]:
    return {"precision": METHODS[method]["precision"] | settings["precision"]} if settings else {}


FULL = Recipe(weights="bfloat16", compute="bfloat16")
LORA = Recipe(weights="bfloat16", compute="bfloat16", adapter=Adapter(8))
BATCH = Batch(4, 1024)


def test_full_sft_is_about_six_operations_a_weight_and_token() -> None:
    """Kaplan et al. 2020, table 1: with attention beside it, and without the embeddings."""
    shape = read_shape("llama-2-7b")
    flops = step_flops(shape, FULL, BATCH)

    weights = shape.layers * sum(linear.elements for linear in shape.linears)
    assert flops.forward == 2 * weights * BATCH.tokens
    assert flops.forward + flops.input_gradients + flops.weight_gradients == 6 * weights * BATCH.tokens


def test_attention_is_counted_whole_as_palm_does() -> None:
    """Chowdhery et al. 2022, appendix B: 12 L H Q T a token."""
    shape = read_shape("llama-2-7b")
    palm = 12 * shape.layers * shape.heads * shape.head_dim * BATCH.length * BATCH.tokens

    assert step_flops(shape, FULL, BATCH).attention == palm


@pytest.mark.parametrize("recipe", [FULL, LORA, replace(LORA, checkpointing=True), replace(FULL, attention="eager")])
def test_the_method_asks_for_no_scores_between_packed_examples(recipe: Recipe) -> None:
    shape, lengths = read_shape("llama-2-7b"), (300, 1000, 50)
    alone = [step_flops(shape, recipe, Batch(1, length)) for length in lengths]

    packed = step_flops(shape, recipe, batch_of(lengths, packing=True))
    by_bounds = step_flops(shape, replace(recipe, attention="flash_attention_2"), batch_of(lengths, packing=True))

    assert packed.attention == sum(one.attention for one in alone)
    assert packed.masked > 0 == by_bounds.masked
    assert packed.model == packed.hardware - packed.recomputed - packed.masked


def test_lora_saves_the_gradients_of_the_weights_and_adds_its_own() -> None:
    shape = read_shape("llama-3.1-8b")
    full, lora = step_flops(shape, FULL, BATCH), step_flops(shape, LORA, BATCH)

    assert lora.weight_gradients == 0 and lora.adapters > 0 and full.adapters == 0
    assert lora.forward == full.forward
    below = 2 * BATCH.tokens * sum(linear.elements for linear in shape.linears[:3])
    assert full.input_gradients - lora.input_gradients == below  # the first layer's, of query, key and value


@pytest.mark.parametrize("name", ["qwen2.5-0.5b", "llama-3.2-1b", "llama-2-7b", "llama-3.1-8b", "llama-3.1-70b"])
@pytest.mark.parametrize("rank", [8, 64])
@pytest.mark.parametrize("length", [512, 8192])
def test_by_operations_alone_lora_is_no_more_than_half_as_fast_again(name: str, rank: int, length: int) -> None:
    shape, batch = read_shape(name), Batch(2, length)
    lora = Recipe(weights="bfloat16", compute="bfloat16", adapter=Adapter(rank))

    ratio = step_flops(shape, FULL, batch).model / step_flops(shape, lora, batch).model

    assert 1 < ratio <= 1.5


def test_model_flops_leave_out_what_is_computed_again() -> None:
    shape = read_shape("llama-3.1-8b")
    plain = step_flops(shape, FULL, BATCH)
    checkpointed = step_flops(shape, Recipe(weights="bfloat16", compute="bfloat16", checkpointing=True), BATCH)

    assert checkpointed.model == plain.model
    assert checkpointed.hardware > plain.hardware > plain.model


def test_a_quantised_base_multiplies_as_much() -> None:
    shape = read_shape("llama-3.1-8b")
    quantised = Recipe(weights="bfloat16", compute="bfloat16", adapter=Adapter(8), quantised=True)

    assert step_flops(shape, quantised, BATCH) == step_flops(shape, LORA, BATCH)
