"""What a stage starts from, and what is scored after the last one, is what was trained: no bit is lost on the way."""

from pathlib import Path
from typing import Any

import pytest
import torch

import harness.build as build
from tests.methods.cells import assignment, logits_of, prepared, results_of, run, stage, train

FULL = stage("full_sft", rate=1e-3)
LORA = stage("lora", rate=1e-2)
QLORA = stage("qlora", rate=1e-2)


def dpo(first: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return stage("dpo", rate=1e-2, starts_from=first, **settings)


CHAINS = {
    "full_sft": (FULL,),
    "lora": (LORA,),
    "qlora": (QLORA,),
    "dpo on full_sft": (FULL, dpo(FULL)),
    "dpo on lora": (LORA, dpo(LORA)),
    "dpo on qlora": (QLORA, dpo(QLORA)),
    "fresh dpo on lora": (LORA, dpo(LORA, adapter="fresh")),
    "fresh dpo on qlora": (QLORA, dpo(QLORA, adapter="fresh")),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_a_kept_result_answers_as_the_model_that_was_trained(tmp_path: Path, chain: str) -> None:
    stages = CHAINS[chain]
    if len(stages) > 1:
        run(assignment(tmp_path, *stages[:-1]))
    training, _ = train(tmp_path, *stages)
    given = training.assignment
    before = logits_of(prepared(tmp_path, *stages).model, given)
    expected = logits_of(training.model, given)
    build.save_result(training.model, results_of(given)[given.stages[-1].stage_id])

    again = build.build_model(given, len(stages), results=results_of(given))

    assert torch.equal(logits_of(again, given), expected)
    assert not torch.allclose(before, expected, atol=1e-2)  # the last stage changed something


@pytest.mark.parametrize("chain", ["dpo on full_sft", "dpo on lora", "dpo on qlora", "fresh dpo on lora"])
def test_a_stage_starts_where_the_one_before_it_ended(tmp_path: Path, chain: str) -> None:
    stages = CHAINS[chain]
    first, _ = train(tmp_path, stages[0])
    given = first.assignment
    build.save_result(first.model, results_of(given)["stage-0"])
    expected = logits_of(first.model, given)

    base = logits_of(prepared(tmp_path, stages[0]).model, given)

    start = logits_of(prepared(tmp_path, *stages).model, given)

    assert float((start - expected).norm()) < 1e-5 * float((base - expected).norm())


def test_an_adapter_folded_into_4_bit_weights_is_there_up_to_their_resolution(tmp_path: Path) -> None:
    """A small step of training is smaller than that: what is folded into 4 bit may be lost."""
    stages = CHAINS["fresh dpo on qlora"]
    first, _ = train(tmp_path, stages[0])
    build.save_result(first.model, results_of(first.assignment)["stage-0"])
    layer = "base_model.model.model.layers.0.mlp.up_proj"
    tuned = first.model.get_submodule(layer)
    exact = dequantised(tuned) + tuned.get_delta_weight("default")

    folded = dequantised(prepared(tmp_path, *stages).model.get_submodule(layer))

    assert float((folded - exact).norm()) < 0.12 * float(exact.norm())
    assert not torch.equal(folded, dequantised(tuned))


def dequantised(layer: Any) -> torch.Tensor:
    from bitsandbytes.functional import dequantize_4bit

    weight = layer.get_base_layer().weight if hasattr(layer, "get_base_layer") else layer.weight
    return dequantize_4bit(weight.data, weight.quant_state)


def test_merging_a_fresh_adapter_keeps_the_stage_below_it(tmp_path: Path) -> None:
    """Into the unquantised base go both adapters, not the last one alone."""
    stages = CHAINS["fresh dpo on qlora"]
    run(assignment(tmp_path, *stages[:-1]))
    training, _ = train(tmp_path, *stages)
    given = training.assignment
    results = results_of(given)
    layer = "model.layers.0.mlp.up_proj"
    last = training.model.get_submodule(f"base_model.model.{layer}").get_delta_weight("default")
    plain = build._load_base(given, None, quantised=False)
    first = build.merged_with(plain, results["stage-0"]).get_submodule(layer).weight
    build.save_result(training.model, results["stage-1"])

    merged = build.merged_anew(given, results=results).get_submodule(layer).weight

    assert torch.allclose(merged, first + last, atol=1e-6)


def test_an_adapter_in_float32_on_a_base_in_bfloat16_is_kept_to_the_bit(tmp_path: Path) -> None:
    spec = stage("lora", rate=1e-2, precision={"weights": "bfloat16", "compute": "bfloat16"})
    training, _ = train(tmp_path, spec)
    given = training.assignment
    build.save_result(training.model, results_of(given)["stage-0"])

    again = build.build_model(given, 1, results=results_of(given))

    kept = {name: p for name, p in again.named_parameters() if "lora_" in name}
    assert {p.dtype for p in kept.values()} == {torch.float32}
    assert all(torch.equal(kept[n], p) for n, p in training.model.named_parameters() if "lora_" in n)


def test_an_adapter_of_another_model_is_refused(tmp_path: Path) -> None:
    training, _ = train(tmp_path, stage("lora", target_modules=("q_proj", "v_proj")))
    given = training.assignment
    folder = results_of(given)["stage-0"]
    build.save_result(training.model, folder)
    config = folder / "adapter_config.json"
    config.write_text(config.read_text().replace('"v_proj"', '"k_proj"'))

    with pytest.raises(ValueError, match="not an adapter of this model"):
        build.build_model(given, 1, results=results_of(given))


def test_random_weights_are_the_same_at_every_stage(tmp_path: Path) -> None:
    given = assignment(tmp_path, LORA, init_seed=5)
    Path(given.folder).mkdir()

    first, second = (build._load_base(given, None, quantised=False) for _ in range(2))

    assert torch.equal(logits_of(first, given), logits_of(second, given))


def test_all_weights_learn_in_full_sft_and_an_adapters_alone_in_lora(tmp_path: Path) -> None:
    full, lora = prepared(tmp_path, FULL).model, prepared(tmp_path, LORA).model

    assert all(p.requires_grad for p in full.parameters())
    assert {name for name, p in lora.named_parameters() if p.requires_grad} == {
        name for name, _ in lora.named_parameters() if "lora_" in name
    }
