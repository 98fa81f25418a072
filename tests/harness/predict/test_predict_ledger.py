"""The predictor against the ledger of real training steps on the CPU: to the byte, activations within 1 %.

Each test holds the peak by component, and the most activations of any step, which a peak of gradients would hide.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.harness.predict.steps import MORE_SHAPES, SMALLEST, base_of, step_of
from tests.methods.cells import SFT, assignment, run, stage

ONE_LENGTH = [SFT[2], SFT[2]]
QUERY_AND_VALUE = {"target_modules": ["q_proj", "v_proj"]}
BFLOAT16 = {"weights": "bfloat16", "compute": "bfloat16"}
AMP = {"weights": "float32", "compute": "bfloat16"}

RECIPES = {
    "full_sft": stage("full_sft"),
    "lora, rank 4, all linear": stage("lora", rank=4),
    "lora, rank 16, all linear": stage("lora", rank=16),
    "lora, rank 4, query and value": stage("lora", rank=4, **QUERY_AND_VALUE),
    "lora, rank 16, query and value": stage("lora", rank=16, **QUERY_AND_VALUE),
    "qlora": stage("qlora", rank=8),
    "qlora, plain scales": stage("qlora", rank=8, double_quantisation=False),
}


@pytest.mark.parametrize("shape", MORE_SHAPES)
@pytest.mark.parametrize("recipe", RECIPES)
def test_each_method_on_each_small_shape(tmp_path: Path, shape: str, recipe: str) -> None:
    assert step_of(tmp_path, RECIPES[recipe], shape=shape).differences() == {}


@pytest.mark.parametrize("shape", MORE_SHAPES)
@pytest.mark.parametrize("adapter", ["continue", "fresh"])
def test_dpo_on_lora_on_each_small_shape(tmp_path: Path, shape: str, adapter: str) -> None:
    first = stage("lora", steps=1)
    run(assignment(tmp_path, first, **base_of(shape, tmp_path)))

    second = stage("dpo", starts_from=first, adapter=adapter)
    assert step_of(tmp_path, first, second, shape=shape).differences() == {}


@pytest.mark.parametrize("shape", MORE_SHAPES[:2])
@pytest.mark.parametrize("method", ["full_sft", "lora", pytest.param("qlora", marks=pytest.mark.extended)])
@pytest.mark.parametrize(
    ("stage_settings", "execution"),
    [
        ({}, {"attention": "eager"}),
        ({}, {"gradient_checkpointing": True}),
        ({}, {"packing": True}),
        pytest.param({}, {"packing": True, "attention": "eager"}, marks=pytest.mark.extended),
        pytest.param({}, {"packing": True, "micro_batch_size": 2}, marks=pytest.mark.extended),
        pytest.param({"precision": AMP}, {"packing": True}, marks=pytest.mark.extended),
        ({}, {"loss": "whole"}),
        pytest.param({}, {"loss": "whole", "packing": True}, marks=pytest.mark.extended),
        ({"precision": BFLOAT16}, {"loss": "whole"}),
        pytest.param({"precision": AMP}, {"loss": "whole"}, marks=pytest.mark.extended),
        ({}, {"micro_batch_size": 2}),
        ({"batch_size": 1}, {}),
        ({"precision": BFLOAT16}, {}),
        ({"precision": BFLOAT16}, {"attention": "eager"}),
        ({"precision": {**BFLOAT16, "adapter": "bfloat16"}}, {}),
        ({"precision": AMP}, {}),
        ({"precision": AMP}, {"attention": "eager"}),
    ],
)
def test_each_way_of_computing(
    tmp_path: Path, shape: str, method: str, stage_settings: dict[str, Any], execution: dict[str, Any]
) -> None:
    found = step_of(tmp_path, stage(method, **stage_settings), shape=shape, **execution)

    assert found.differences() == {}


@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_a_single_key_head_that_autocast_lowers_is_copied_for_every_head(tmp_path: Path, method: str) -> None:
    assert step_of(tmp_path, stage(method, precision=AMP), shape="small-qwen2").differences() == {}


@pytest.mark.parametrize("shape", MORE_SHAPES)
@pytest.mark.parametrize("method", ["full_sft", "lora", "qlora"])
def test_rows_of_one_length_need_no_mask(tmp_path: Path, shape: str, method: str) -> None:
    found = step_of(tmp_path, stage(method), shape=shape, examples={"sft": ONE_LENGTH})

    assert found.differences() == {}


@pytest.mark.parametrize("method", ["lora", "qlora"])
@pytest.mark.parametrize("precision", [{}, BFLOAT16, AMP])
def test_dropout_keeps_what_it_dropped_and_what_is_left(tmp_path: Path, method: str, precision: dict[str, str]) -> None:
    spec = stage(method, dropout=0.1, precision=precision)

    assert step_of(tmp_path, spec, shape=SMALLEST).differences() == {}


@pytest.mark.parametrize("method", ["full_sft", "lora"])
@pytest.mark.parametrize("name", ["adamw_8bit", "paged_adamw_8bit"])
def test_an_optimizer_in_8_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, name: str) -> None:
    # It remembers which tensors stay in float32 by their id, which a later test's tensor may have.
    monkeypatch.setattr("bitsandbytes.optim.GlobalOptimManager._instance", None)
    spec = stage(method, optimizer={"name": name})

    assert step_of(tmp_path, spec, shape="small-llama").differences() == {}


@pytest.mark.parametrize("reference", ["precomputed", "model"])
def test_dpo_on_every_weight(tmp_path: Path, reference: str) -> None:
    first = stage("full_sft", steps=1)
    run(assignment(tmp_path, first))

    found = step_of(tmp_path, first, stage("dpo", starts_from=first, reference=reference), shape=SMALLEST)

    assert found.differences() == {}
