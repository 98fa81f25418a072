"""Weights that are drawn: the seed's own, where they are used, in 4 bit what they are in full."""

from pathlib import Path
from typing import Any

import bitsandbytes
import pytest
import torch

from harness.loading import load_model
from harness.random_weights import random_model
from tests.methods.cells import SMALL

FLOAT32 = {"weights": "float32", "compute": "float32"}
BFLOAT16 = {"weights": "bfloat16", "compute": "bfloat16"}
NF4 = {"quantisation": "nf4", "double_quantisation": True}
SHAPES = Path(__file__).resolve().parents[2] / "suites" / "cost" / "shapes"


def drawn(folder: Path = SMALL, seed: int = 0, precision: dict[str, str] = FLOAT32, **how: Any) -> Any:
    return random_model(folder, init_seed=seed, precision=precision, attention="sdpa", device="cpu", **how)


def folder_of(shape: str, path: Path) -> Path:
    (path / "config.json").write_text((SHAPES / f"{shape}.json").read_text())
    return path


def test_they_are_their_seeds_own() -> None:
    def weights(seed: int) -> torch.Tensor:
        return drawn(seed=seed).model.layers[0].mlp.up_proj.weight

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


@pytest.mark.parametrize("shape", ["small-llama", "small-qwen2"])  # with an output layer of its own, and tied
def test_they_are_as_the_architecture_draws_them(tmp_path: Path, shape: str) -> None:
    model = drawn(folder_of(shape, tmp_path), precision=BFLOAT16)
    spread = model.config.initializer_range
    for name, parameter in model.named_parameters():
        assert parameter.dtype == torch.bfloat16 and parameter.device.type == "cpu"
        if "norm" in name:
            assert (parameter == 1).all()
        elif name.endswith("bias"):
            assert (parameter == 0).all()
        else:
            assert float(parameter.float().std()) == pytest.approx(spread, rel=0.05)
    tied = model.get_output_embeddings().weight is model.get_input_embeddings().weight
    assert tied == model.config.tie_word_embeddings


@pytest.mark.parametrize("shape", ["small-llama", "small-qwen2"])
def test_in_4_bit_they_are_what_the_plain_ones_are_when_they_are_loaded_in_4_bit(tmp_path: Path, shape: str) -> None:
    folder = folder_of(shape, tmp_path)
    drawn(folder, precision=BFLOAT16).save_pretrained(tmp_path / "saved")
    how = {"precision": BFLOAT16, "attention": "sdpa", "device": "cpu", "quantisation": NF4}
    loaded = load_model(tmp_path / "saved", **how)

    direct = drawn(folder, precision=BFLOAT16, quantisation=NF4)

    ours, theirs = direct.state_dict(), loaded.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert direct.is_loaded_in_4bit and direct.is_quantized
    tokens = torch.arange(12)[None]
    with torch.no_grad():
        assert torch.equal(direct(tokens).logits, loaded(tokens).logits)


def test_no_layer_in_4_bit_waits_in_full_width_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting: list[int] = []
    quantise = bitsandbytes.nn.Params4bit._quantize

    def watched(self: Any, device: Any) -> Any:
        layers = [m for m in watched.model.modules() if isinstance(m, bitsandbytes.nn.Linear4bit)]  # type: ignore
        waiting.append(sum(m.weight.device.type != "meta" and not m.weight.bnb_quantized for m in layers))
        return quantise(self, device)

    def found(model: Any, *given: Any) -> None:
        watched.model = model  # type: ignore[attr-defined]
        draw(model, *given)

    import harness.random_weights

    draw = harness.random_weights._draw
    monkeypatch.setattr(harness.random_weights, "_draw", found)
    monkeypatch.setattr(bitsandbytes.nn.Params4bit, "_quantize", watched)
    drawn(quantisation=NF4)
    assert waiting and set(waiting) == {0}
