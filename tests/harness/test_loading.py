"""Models are loaded exactly: on a CPU, 4-bit layers are the same in training and in evaluation."""

from pathlib import Path
from typing import Any

import bitsandbytes
import pytest
import torch
from bitsandbytes.functional import has_avx512bf16

from harness.loading import keep_four_bit_exact, load_model
from harness.random_weights import random_model
from methods.adapters import add_adapter
from methods.parameters import LoraParameters
from tests.methods.cells import FLOAT32, SMALL, assignment, run, scores, stage, trained

NF4 = {"quantisation": "nf4", "double_quantisation": True}
IDS = torch.tensor([[0, 5, 9, 21, 40, 7, 3, 11]])
packing = pytest.mark.skipif(not has_avx512bf16(), reason="this processor has no AVX-512 bf16, so nothing is packed")


def four_bit(folder: Path = SMALL) -> Any:
    return load_model(folder, precision=FLOAT32, attention="sdpa", device="cpu", quantisation=NF4)


def four_bit_layers(model: Any) -> list[Any]:
    return [module for module in model.modules() if isinstance(module, bitsandbytes.nn.Linear4bit)]


def gradients(model: Any, *, scored_first: bool) -> dict[str, torch.Tensor]:
    """Gradients of an adapter on ``model``, after a pass in evaluation mode or without one."""
    torch.manual_seed(0)
    adapted = add_adapter(model, LoraParameters(rank=4), "float32")
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:  # at zero it would hide A's gradient
            torch.nn.init.normal_(parameter, std=0.02)
    if scored_first:
        with torch.no_grad():
            adapted.eval()(IDS)
    adapted.train()(input_ids=IDS, labels=IDS).loss.backward()
    return {name: p.grad for name, p in adapted.named_parameters() if p.grad is not None}


def test_packing_is_off_on_every_4_bit_layer() -> None:
    layers = four_bit_layers(four_bit())

    assert len(layers) == 4 * 7
    assert not any(layer.support_avx512bf16_for_cpu for layer in layers)


@packing
def test_a_processor_that_packs_would_have_it_on_without_us() -> None:
    assert bitsandbytes.nn.Linear4bit(64, 64).support_avx512bf16_for_cpu


def test_scoring_before_training_changes_no_gradient() -> None:
    alone, after = gradients(four_bit(), scored_first=False), gradients(four_bit(), scored_first=True)

    assert len(alone) == 4 * 7 * 2
    assert all(torch.equal(after[name], gradient) for name, gradient in alone.items())


@packing
def test_with_packing_left_on_the_same_scoring_would_change_gradients() -> None:
    packed = four_bit()
    for layer in four_bit_layers(packed):
        layer.support_avx512bf16_for_cpu = True

    alone, after = gradients(four_bit(), scored_first=False), gradients(packed, scored_first=True)

    first = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.default.weight"
    assert not torch.allclose(after[first], alone[first], rtol=0.1)


def test_training_and_evaluation_mode_agree_in_4_bit() -> None:
    model = four_bit()
    with torch.no_grad():
        trains, evaluates = model.train()(IDS).logits, model.eval()(IDS).logits

    assert torch.equal(trains, evaluates)


@packing
def test_with_packing_left_on_they_would_not() -> None:
    model = four_bit()
    for layer in four_bit_layers(model):
        layer.support_avx512bf16_for_cpu = True
    with torch.no_grad():
        trains, evaluates = model.train()(IDS).logits, model.eval()(IDS).logits

    assert not torch.allclose(trains, evaluates, rtol=1e-4)


@pytest.mark.real
def test_qlora_trains_and_scores_a_model_172_wide_with_every_linear_layer_in_4_bit(
    tmp_path: Path, shared: Path
) -> None:
    stories = shared / "models" / "stories260k"
    model = four_bit(stories)
    linear = [m for name, m in model.named_modules() if isinstance(m, torch.nn.Linear) and name != "lm_head"]
    assert {172} <= {m.in_features for m in linear} | {m.out_features for m in linear}
    assert len(linear) == len(four_bit_layers(model)) == 5 * 7

    examples = [
        {"prompt": f"Once there was a {a}.", "completion": f" It was a big {a}."} for a in ("cat", "dog", "car")
    ]
    spec = stage("qlora", rate=1e-2, steps=12, batch_size=3)
    said = run(assignment(tmp_path, spec, base=stories, examples={"sft": examples}, evals=("rolling",)))

    curve = [step.loss or 0.0 for step in trained(said).steps]
    assert curve[-1] < 0.5 * curve[0]
    assert trained(said).effective["four_bit_layers"] == 35
    moments = {m: scores(said, m)["pocket_perplexity"].value for m in ("tuned", "merged", "merged_requantised")}
    assert all(value is not None and 1 < value < 1e9 for value in moments.values())


def test_keep_four_bit_exact_counts_layers_and_leaves_others_alone() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), bitsandbytes.nn.Linear4bit(64, 64))

    assert keep_four_bit_exact(model) == 1


def test_a_bases_own_generation_settings_are_left_behind(tmp_path: Path) -> None:
    model = random_model(SMALL, init_seed=0, precision=FLOAT32, attention="sdpa", device="cpu")
    model.generation_config.repetition_penalty = 1.3
    model.save_pretrained(tmp_path)

    loaded = load_model(tmp_path, precision=FLOAT32, attention="sdpa", device="cpu", quantisation=None)

    assert loaded.generation_config.repetition_penalty in (None, 1.0)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_weights_are_of_the_type_asked_for(dtype: str) -> None:
    model = load_model(
        SMALL, precision=FLOAT32 | {"weights": dtype}, attention="eager", device="cpu", quantisation=None
    )

    assert {p.dtype for p in model.parameters()} == {getattr(torch, dtype)}
    assert model.config._attn_implementation == "eager"
