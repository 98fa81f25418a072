"""The ledger of tensor bytes against sums done by hand on the 0.2 M base."""

from pathlib import Path
from typing import Any

import pytest
import torch

from harness.meters.ledger import TensorLedger, model_bytes
from tests.methods.cells import SFT, assignment, prepared, run, stage, train

HIDDEN, WIDE, LAYERS, VOCABULARY = 64, 192, 4, 448
ATTENTION, MLP = 4 * HIDDEN * HIDDEN, 3 * HIDDEN * WIDE
LINEAR = LAYERS * (ATTENTION + MLP)  # parameters of the linear layers that are adapted and quantised
OTHER = VOCABULARY * HIDDEN + LAYERS * 2 * HIDDEN + HIDDEN  # the tied embedding and the norms
PARAMETERS = LINEAR + OTHER
ROTARY = 2 * 4 * HIDDEN // 4 // 2  # two buffers of float32 frequencies, half a head each
RANK = 8
ADAPTER = LAYERS * RANK * (4 * (HIDDEN + HIDDEN) + 3 * (HIDDEN + WIDE))
SHORT = [{"prompt": "<eos>", "completion": " 7"}]


def peak(folder: Path, *stages: dict[str, Any], **settings: Any) -> dict[str, int]:
    """The ledger of a measure run, by component."""
    training, _ = train(folder, *stages, purpose="measure", measure_steps=1, **settings)
    assert training.meter is not None and training.meter.ledger is not None
    peak = training.meter.ledger.peak
    return peak.__dict__ | {"total": peak.total}


def test_a_total_beyond_its_limit_is_out_of_memory_in_either_pass(tmp_path: Path) -> None:
    training = prepared(tmp_path, stage("full_sft"))
    ledger = TensorLedger(training.model)
    ledger.limit_bytes = ledger.peak.total + 1

    with pytest.raises(torch.OutOfMemoryError, match="MiB in the ledger"), ledger.watch():
        training.model(input_ids=torch.tensor([[1, 2, 3]]))

    ledger.limit_bytes = None
    loss = training.model(input_ids=torch.tensor([[1, 2, 3]])).logits.sum()
    ledger.limit_bytes = ledger.peak.total
    with pytest.raises(torch.OutOfMemoryError), ledger.watch():
        loss.backward()


def state_of(tensors: int) -> int:
    """Adam's step counter of each tensor."""
    return 4 * tensors


def test_full_sft_is_weights_gradients_and_two_moments_of_four_bytes(tmp_path: Path) -> None:
    found = peak(tmp_path, stage("full_sft", batch_size=1), examples={"sft": SHORT})

    assert found["weights"] == 4 * PARAMETERS + ROTARY
    assert found["gradient"] == 4 * PARAMETERS
    assert found["optimizer"] == 2 * 4 * PARAMETERS + state_of(LAYERS * 9 + 2)
    assert found["adapter"] == found["quantisation"] == 0


def test_lora_holds_moments_for_its_adapter_alone(tmp_path: Path) -> None:
    found = peak(tmp_path, stage("lora", batch_size=1), examples={"sft": SHORT})

    assert found["weights"] == 4 * PARAMETERS + ROTARY
    assert found["adapter"] == 4 * ADAPTER
    assert found["optimizer"] == 2 * 4 * ADAPTER + state_of(LAYERS * 7 * 2)
    assert found["gradient"] in (0, 4 * ADAPTER)  # before the backward pass, or after it


def test_an_adapter_in_bfloat16_is_half_as_large(tmp_path: Path) -> None:
    found = peak(tmp_path, stage("lora", precision={"adapter": "bfloat16"}))

    assert found["adapter"] == 2 * ADAPTER


@pytest.mark.parametrize("nested", [True, False])
def test_qlora_holds_half_a_byte_a_weight_and_its_scales(tmp_path: Path, nested: bool) -> None:
    found = peak(tmp_path, stage("qlora", double_quantisation=nested))

    square, oblong = HIDDEN * HIDDEN, HIDDEN * WIDE
    layers = [square] * 4 * LAYERS + [oblong] * 3 * LAYERS
    blocks = [size // 64 for size in layers]  # one scale for 64 weights
    # Nested, a scale is a byte, every 256 of them share a float32, and a layer has an offset; else it is a float32.
    scales = sum(count + 4 * -(-count // 256) + 4 for count in blocks) if nested else sum(4 * count for count in blocks)
    tables = len(layers) * 4 * 16 + (len(layers) * 4 * 256 if nested else 0)  # of 16 and of 256 codes

    assert found["weights"] == LINEAR // 2 + 4 * OTHER + ROTARY
    assert scales <= found["quantisation"] <= scales + tables
    assert found["quantisation"] == scales + shared_tables(tmp_path, nested)
    assert found["adapter"] == 4 * ADAPTER


def shared_tables(folder: Path, nested: bool) -> int:
    """Bytes of code tables; layers that share one table hold it once."""
    model = prepared(folder, stage("qlora", double_quantisation=nested)).model
    states = [p.quant_state for p in model.parameters() if getattr(p, "quant_state", None) is not None]
    tables = [s.code for s in states] + [s.state2.code for s in states if s.nested]
    return sum({t.data_ptr(): t.numel() * t.element_size() for t in tables}.values())


def test_the_frozen_copy_of_a_continued_adapter_is_in_the_adapters_bytes(tmp_path: Path) -> None:
    first = stage("lora")
    run(assignment(tmp_path, first))

    found = peak(tmp_path, first, stage("dpo", starts_from=first))

    assert found["adapter"] == 2 * 4 * ADAPTER
    assert found["optimizer"] == 2 * 4 * ADAPTER + state_of(LAYERS * 7 * 2)


def test_a_fresh_adapters_reference_costs_nothing(tmp_path: Path) -> None:
    first = stage("lora")
    run(assignment(tmp_path, first))

    assert peak(tmp_path, first, stage("dpo", starts_from=first, adapter="fresh"))["adapter"] == 4 * ADAPTER


@pytest.mark.parametrize(("reference", "models"), [("precomputed", 1), ("model", 2)])
def test_a_precomputed_reference_adds_no_bytes_and_a_model_adds_itself(
    tmp_path: Path, reference: str, models: int
) -> None:
    first = stage("full_sft")
    run(assignment(tmp_path, first))

    found = peak(tmp_path, first, stage("dpo", starts_from=first, reference=reference))

    assert found["weights"] == models * (4 * PARAMETERS + ROTARY)


def activations(folder: Path, **settings: Any) -> int:
    """Peak activation bytes over batches of equally long rows."""
    batch_size = settings.pop("batch_size", 8)
    spec = stage("full_sft", batch_size=batch_size, steps=1)
    return peak(folder, spec, examples={"sft": [SFT[2]]}, **settings)["activation"]


def test_activations_are_proportional_to_the_batch(tmp_path: Path) -> None:
    eight, sixteen = (activations(tmp_path, batch_size=size) for size in (8, 16))

    assert sixteen == pytest.approx(2 * eight, rel=0.02)


def test_a_split_batch_needs_activations_for_one_part_at_a_time(tmp_path: Path) -> None:
    whole = activations(tmp_path, batch_size=8)

    assert activations(tmp_path, batch_size=16, micro_batch_size=8) == pytest.approx(whole, rel=0.02)


def test_gradient_checkpointing_keeps_fewer_activations(tmp_path: Path) -> None:
    """What it computes a second time is not in the account."""
    plain = activations(tmp_path)

    assert activations(tmp_path, gradient_checkpointing=True) < 0.5 * plain


def test_a_saved_tensor_is_counted_once_and_only_while_the_graph_holds_it() -> None:
    model = torch.nn.Linear(4, 4, bias=False)
    ledger = TensorLedger(model)
    with ledger.watch():
        x = torch.randn(8, 4)
        loss = (model(x).tanh() ** 2).sum()  # saves x, the tanh (twice), not the weight
        held = ledger.live_activation
        loss.backward()
        del loss
        after = ledger.live_activation

    assert held == 2 * x.numel() * 4
    assert after == 0
    assert ledger.peak.gradient in (0, 64) and ledger.peak.weights == 64


def test_shared_storage_counts_once() -> None:
    model = torch.nn.ModuleList([torch.nn.Linear(4, 4, bias=False), torch.nn.Linear(4, 4, bias=False)])
    model[1].weight = model[0].weight

    assert model_bytes(model) == (64, 0, 0)
