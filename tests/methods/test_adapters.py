"""Adapters: drawn from the seed, of one type everywhere, and equal to their base, or merged, where they must be."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from bitsandbytes.functional import dequantize_4bit

import harness.build as build
from harness.loading import keep_four_bit_exact
from harness.training import StageTraining
from tests.methods.cells import (
    assignment,
    item_values,
    logits_of,
    prepared,
    results_of,
    run,
    scores,
    stage,
    train,
)

EVALS = ("choices", "generated", "rolling")


@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_an_untrained_adapter_forgets_nothing(tmp_path: Path, method: str) -> None:
    quantisation = "nf4" if method == "qlora" else "none"
    base = run(assignment(tmp_path, stage("base", quantisation=quantisation), evals=EVALS))
    tuned = run(assignment(tmp_path, stage(method, rate=1e-12, steps=1), evals=EVALS))

    before, after = scores(base, "base"), scores(tuned, "tuned")

    assert set(before) == set(after) and len(before) == 3
    for task, score in before.items():
        assert item_values(after[task]) == item_values(score), task
        assert (after[task].value, after[task].correct, after[task].answers) == (
            score.value, score.correct, score.answers,
        )  # fmt: skip


@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_an_adapter_switched_off_after_training_is_the_base_again(tmp_path: Path, method: str) -> None:
    spec = stage(method, rate=1e-2)
    base = prepared(tmp_path, spec).model.unload()
    training, _ = train(tmp_path, spec)
    given = training.assignment

    expected = logits_of(base, given)
    with training.model.disable_adapter():
        off = logits_of(training.model, given)

    assert torch.equal(off, expected)
    assert not torch.allclose(logits_of(training.model, given), expected, atol=1e-2)


@pytest.mark.parametrize("settings", [{}, {"use_rslora": True}, {"use_dora": True}, {"alpha": 3.0}])
def test_a_merged_lora_in_float32_answers_as_the_adapter_does(tmp_path: Path, settings: dict[str, Any]) -> None:
    training, _ = train(tmp_path, stage("lora", rate=1e-2, **settings))
    given = training.assignment
    adapter = logits_of(training.model, given)

    merged = training.model.merge_and_unload()

    assert not hasattr(merged, "peft_config")
    assert torch.allclose(logits_of(merged, given), adapter, atol=1e-4)


def test_a_merged_qlora_is_the_unquantised_base_with_the_adapter(tmp_path: Path) -> None:
    training, _ = train(tmp_path, stage("qlora", rate=1e-2))
    given = training.assignment
    layer = "model.layers.0.mlp.up_proj"
    tuned = training.model.get_submodule(f"base_model.model.{layer}")
    delta = tuned.get_delta_weight("default")
    plain = build._load_base(given, None, quantised=False).get_submodule(layer).weight

    merged = merged_anew(training).get_submodule(layer).weight

    assert merged.dtype == torch.float32
    assert torch.allclose(merged, plain + delta, atol=1e-6)


def test_a_requantised_model_stands_in_4_bit_again(tmp_path: Path) -> None:
    training, _ = train(tmp_path, stage("qlora", rate=1e-2))
    given = training.assignment
    merged = merged_anew(training)
    weight = merged.model.layers[0].mlp.up_proj.weight
    merged.save_pretrained(tmp_path / "merged")

    again = build.requantised_model(given, tmp_path / "merged")

    assert keep_four_bit_exact(again) == 4 * 7
    packed = again.model.layers[0].mlp.up_proj.weight
    error = float((dequantize_4bit(packed.data, packed.quant_state) - weight).norm())
    assert 0 < error < 0.12 * float(weight.norm())  # what 4 bit cost: about 9 %


def merged_anew(training: StageTraining) -> Any:
    results = results_of(training.assignment)
    build.save_result(training.model, results["stage-0"])
    return build.merged_anew(training.assignment, results=results)


def adapter_weights(training: StageTraining) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in training.model.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_an_adapters_initialisation_is_the_seeds_own(tmp_path: Path, method: str) -> None:
    first = adapter_weights(prepared(tmp_path, stage(method, seed=1)))
    torch.rand(1000)  # whatever ran before in the process
    again = adapter_weights(prepared(tmp_path, stage(method, seed=1)))
    other = adapter_weights(prepared(tmp_path, stage(method, seed=2)))

    assert all(torch.equal(again[name], weight) for name, weight in first.items())
    assert not any(torch.equal(other[n], w) for n, w in first.items() if "lora_A" in n)
    assert all(not weight.any() for name, weight in first.items() if "lora_B" in name)


def test_lora_and_qlora_start_from_the_same_adapter(tmp_path: Path) -> None:
    lora, qlora = (adapter_weights(prepared(tmp_path, stage(method))) for method in ("lora", "qlora"))

    assert lora.keys() == qlora.keys()
    assert all(torch.equal(qlora[name], weight) for name, weight in lora.items())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_an_adapter_is_trained_in_the_type_asked_for(tmp_path: Path, method: str, dtype: str) -> None:
    """TRL would cast it to bfloat16 on a 4-bit base, and leave it in float32 elsewhere."""
    training, said = train(tmp_path, stage(method, precision={"adapter": dtype}))

    assert said.effective["trainable_dtypes"] == [dtype]
    assert {p.dtype for p in adapter_weights(training).values()} == {getattr(torch, dtype)}


def scales(model: Any) -> set[float]:
    return {module.scaling["default"] for module in model.modules() if hasattr(module, "lora_A")}


@pytest.mark.parametrize("rank", [2, 16])
def test_the_scale_does_not_change_with_the_rank(tmp_path: Path, rank: int) -> None:
    assert scales(prepared(tmp_path, stage("lora", rank=rank)).model) == {2.0}


def test_rslora_divides_by_the_root_of_the_rank(tmp_path: Path) -> None:
    assert scales(prepared(tmp_path, stage("lora", rank=16, alpha=8.0, use_rslora=True)).model) == {8 / math.sqrt(16)}


def test_all_linear_layers_but_the_head_are_adapted(tmp_path: Path) -> None:
    model = prepared(tmp_path, stage("lora")).model

    adapted = {name.split(".")[-1] for name, module in model.named_modules() if hasattr(module, "lora_A")}

    assert adapted == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
