"""Seconds of a step: what must hold of them whatever a GPU will say."""

from dataclasses import replace
from itertools import pairwise

import pytest

from harness.predict.devices import CARDS, Profile, assumed_profile
from harness.predict.flops import products
from harness.predict.memory import total_bytes
from harness.predict.recipe import Adapter, Batch, Recipe, batch_of
from harness.predict.shape import Shape
from harness.predict.shapes import read_shape
from harness.predict.time import pass_kernels, step_seconds, tokens_per_second
from harness.predict.traffic import pass_traffic

FULL = Recipe(weights="bfloat16", compute="bfloat16")
LORA = replace(FULL, adapter=Adapter(8))
QLORA = replace(LORA, quantised=True)
BATCH = Batch(4, 2048)
ARITHMETIC_ALONE = Profile(bfloat16_flops=1e15, float32_flops=1e15, bandwidth=1e30, launch_seconds=0.0)
SHAPES = ["qwen2.5-0.5b", "llama-3.2-1b", "llama-2-7b", "llama-3.1-8b", "llama-3.1-70b"]


def seconds(recipe: Recipe, batch: Batch = BATCH, card: str = "h100", shape: str = "llama-3.1-8b") -> float:
    return step_seconds(read_shape(shape), recipe, batch, assumed_profile(CARDS[card])).seconds


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("checkpointing", [False, True])
def test_qlora_is_never_faster_than_lora_at_the_same_batch(card: str, shape: str, checkpointing: bool) -> None:
    for batch in (Batch(1, 128), Batch(1, 2048), Batch(16, 512)):
        lora, qlora = (replace(recipe, checkpointing=checkpointing) for recipe in (LORA, QLORA))
        assert seconds(qlora, batch, card, shape) >= seconds(lora, batch, card, shape)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rank", [8, 64])
def test_where_arithmetic_is_all_lora_is_at_most_half_as_fast_again(shape: str, rank: int) -> None:
    sizes = read_shape(shape)
    full, lora = (
        step_seconds(sizes, recipe, BATCH, ARITHMETIC_ALONE).seconds
        for recipe in (FULL, replace(LORA, adapter=Adapter(rank)))
    )

    assert 1 < full / lora <= 1.5


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize(
    "recipe", [FULL, LORA, QLORA, replace(LORA, reference="frozen_copy"), replace(FULL, checkpointing=True)]
)
def test_more_tokens_take_longer(card: str, recipe: Recipe) -> None:
    by_rows = [seconds(recipe, Batch(rows, 1024), card) for rows in (1, 2, 4, 16)]
    by_length = [seconds(recipe, Batch(2, length), card) for length in (512, 1024, 2048, 8192)]

    assert all(a < b for times in (by_rows, by_length) for a, b in pairwise(times))


def test_what_is_added_takes_longer() -> None:
    assert seconds(replace(LORA, checkpointing=True)) > seconds(LORA)
    assert seconds(replace(LORA, reference="frozen_copy")) > seconds(replace(LORA, reference="adapter_off"))
    assert seconds(replace(LORA, reference="adapter_off")) > seconds(replace(LORA, reference="precomputed"))
    assert seconds(replace(LORA, reference="precomputed")) == seconds(LORA)
    assert seconds(replace(FULL, attention="eager")) > seconds(FULL)
    assert seconds(LORA, replace(BATCH, padded=True)) > seconds(LORA)
    assert seconds(Recipe()) > seconds(Recipe(compute="bfloat16")) > seconds(FULL)


@pytest.mark.parametrize("recipe", [FULL, LORA, replace(LORA, checkpointing=True)])
def test_flash_attention_2_neither_masks_nor_computes_what_stands_between_packed_examples(recipe: Recipe) -> None:
    shape, flash = read_shape("llama-3.1-8b"), replace(recipe, attention="flash_attention_2")
    one, packed = Batch(1, 2048), batch_of([1500, 400, 148], packing=True)

    assert total_bytes(shape, flash, packed) == total_bytes(shape, recipe, one) < total_bytes(shape, recipe, packed)
    assert seconds(flash, packed) < seconds(recipe, one) < seconds(recipe, packed)
    assert seconds(flash, one) == seconds(recipe, one)


def test_a_faster_card_is_no_slower() -> None:
    for faster, slower in (("rtx-4090", "rtx-3090"), ("h100", "a100-80gb"), ("h200", "h100"), ("b200", "h200")):
        assert seconds(LORA, card=faster) < seconds(LORA, card=slower)


def test_parts_add_up_and_the_longest_is_the_reason() -> None:
    step = step_seconds(read_shape("llama-3.1-8b"), FULL, BATCH, assumed_profile(CARDS["h100"]))

    assert step.seconds == pytest.approx(step.arithmetic + step.memory_traffic + step.optimizer + step.launches)
    assert step.dominant == "arithmetic"
    assert step.reason.endswith("% arithmetic of matrix products")
    assert tokens_per_second(BATCH, step) == pytest.approx(8192 / step.seconds)


@pytest.mark.parametrize(
    ("profile", "batch", "recipe", "dominant"),
    [
        (Profile(1e15, 1e15, 1e30, 0.0), BATCH, FULL, "arithmetic"),
        (Profile(1e30, 1e30, 1e12, 0.0), BATCH, LORA, "memory traffic"),
        (Profile(1e30, 1e30, 1e12, 0.0), Batch(1, 16), FULL, "optimizer"),
        (Profile(1e15, 1e15, 1e12, 1e-3), Batch(1, 16), LORA, "launches"),
    ],
)
def test_a_step_is_bound_by_what_the_device_lacks(
    profile: Profile, batch: Batch, recipe: Recipe, dominant: str
) -> None:
    assert step_seconds(read_shape("llama-3.2-1b"), recipe, batch, profile).dominant == dominant


def test_attention_and_tables_of_logits_take_as_long_as_the_device_was_measured_to() -> None:
    device = Profile(1e12, 1e12, 1e12, 0.0, bfloat16_attention_flops=1e11, fresh_bandwidth=1e11)
    alike = replace(device, bfloat16_attention_flops=None, fresh_bandwidth=None)
    shape, whole = read_shape("llama-3.2-1b"), replace(FULL, loss="whole")
    slow, fast = (step_seconds(shape, whole, BATCH, profile) for profile in (device, alike))
    unmasked = step_seconds(shape, whole, replace(BATCH, padded=True), device)
    attended = sum(one.flops * one.count for one in products(shape, whole, BATCH) if one.part == "attention")
    fresh = pass_traffic(shape, whole, BATCH).fresh

    assert slow.arithmetic - fast.arithmetic == pytest.approx(attended / 2 * (1 / 1e11 - 1 / 0.7e12))
    assert unmasked.arithmetic - slow.arithmetic == pytest.approx(attended / 2 / 1e11)
    assert fresh > 0
    assert slow.memory_traffic - fast.memory_traffic == pytest.approx(fresh * (1 / 1e11 - 1 / 1e12))


def test_on_a_cpu_the_chunked_losss_gradients_are_multiplied_in_float32() -> None:
    shape, device = read_shape("small-llama"), Profile(1e12, 1e11, 1e30, 0.0, 1e30, 1e30)
    gpu, cpu = (step_seconds(shape, replace(FULL, device=name), BATCH, device).arithmetic for name in ("cuda", "cpu"))
    gradients = 2 * 2 * BATCH.rows * (BATCH.length - 1) * shape.hidden * shape.vocabulary

    assert cpu - gpu == pytest.approx(gradients * (1 / 1e11 - 1 / 1e12))


def test_a_cpus_causal_kernel_skips_whole_blocks_of_keys() -> None:
    shape, device = read_shape("small-llama"), Profile(1e30, 1e30, 1e30, 0.0, 1e12, 1e12)
    cpu = replace(FULL, device="cpu")
    short, long = (
        step_seconds(shape, cpu, Batch(1, length), device).arithmetic
        / step_seconds(shape, cpu, Batch(1, length, padded=True), device).arithmetic
        for length in (512, 4096)
    )

    assert short == pytest.approx(1.0)
    assert long == pytest.approx(0.5 + 512 / 4096 / 2)


def test_a_gpu_is_issued_kernels_while_it_works_and_a_cpu_issues_its_own() -> None:
    shape, busy = read_shape("small-llama"), Profile(1e9, 1e9, 1e9, 1e-5)
    gpu, cpu = (step_seconds(shape, replace(LORA, device=device), BATCH, busy) for device in ("cuda", "cpu"))

    assert gpu.launches == 0.0
    assert cpu.launches == pytest.approx(1e-5 * pass_kernels(shape, replace(LORA, device="cpu"), BATCH), rel=0.1)


def test_without_any_arithmetic_a_step_takes_no_less_than_its_weights_take_to_be_read() -> None:
    shape, profile = read_shape("llama-3.2-1b"), Profile(1e30, 1e30, 1e12, 0.0)
    linear = shape.layers * sum(layer.elements for layer in shape.linears)

    for recipe in (FULL, LORA, QLORA):
        assert step_seconds(shape, recipe, Batch(1, 2), profile).seconds > 2 * linear * 2 / 1e12


def test_micro_batches_share_one_optimizer_step() -> None:
    shape, profile = read_shape("llama-3.2-1b"), assumed_profile(CARDS["a100-40gb"])
    once, four = (step_seconds(shape, FULL, BATCH, profile, micro_batches=number) for number in (1, 4))

    assert four.optimizer == once.optimizer
    assert four.arithmetic == pytest.approx(4 * once.arithmetic)
    assert four.flops.hardware == 4 * once.flops.hardware
    assert once.seconds < four.seconds < 4 * once.seconds


def test_a_measured_profile_is_taken_as_it_is() -> None:
    shape: Shape = read_shape("llama-3.2-1b")
    slow, fast = (Profile(flops, flops / 10, 2e12) for flops in (1e14, 2e14))

    assert slow.source == "measured"
    assert step_seconds(shape, FULL, BATCH, slow).arithmetic > step_seconds(shape, FULL, BATCH, fast).arithmetic
