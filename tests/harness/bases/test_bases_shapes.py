"""Shapes of linear layers, told from headers, agree with the model that transformers builds."""

import json

import numpy as np
import pytest

from harness.bases import layer_shapes, resolve_base
from harness.errors import UserError
from tests.harness.bases.folders import CONFIG, tensors

LAYER = "model.layers.0"
EXPECTED = {
    f"{LAYER}.self_attn.q_proj": (8, 8),
    f"{LAYER}.self_attn.k_proj": (4, 8),
    f"{LAYER}.self_attn.v_proj": (4, 8),
    f"{LAYER}.self_attn.o_proj": (8, 8),
    f"{LAYER}.mlp.gate_proj": (12, 8),
    f"{LAYER}.mlp.up_proj": (12, 8),
    f"{LAYER}.mlp.down_proj": (8, 12),
}


def shapes_of_path(folder):
    return layer_shapes(resolve_base("m", {"path": str(folder)}))


def shapes_of_config(place):
    return layer_shapes(resolve_base("m", {"config": str(place)}))


def test_header_gives_out_and_in_of_every_linear_layer(model_folder):
    assert shapes_of_path(model_folder()) == EXPECTED


def test_config_gives_the_same_as_the_weights(model_folder):
    assert shapes_of_config(model_folder()) == EXPECTED


def test_output_layer_is_listed_where_it_is_its_own(model_folder):
    weights = {**tensors(), "lm_head.weight": np.zeros((8, 8), np.float32)}
    folder = model_folder(weights=weights, config={"tie_word_embeddings": False})
    assert shapes_of_path(folder) == {**EXPECTED, "lm_head": (8, 8)} == shapes_of_config(folder)


def test_gpt2_layers_are_not_mistaken_for_their_transpose(tmp_path):
    from transformers import GPT2Config, GPT2LMHeadModel

    GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=16, n_positions=8)).save_pretrained(tmp_path)
    shapes = shapes_of_path(tmp_path)
    assert shapes["transformer.h.0.attn.c_attn"] == (24, 8)
    assert shapes == shapes_of_config(tmp_path)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"model_type": "no-such"}, "knows no model_type 'no-such'"),
        ({"hidden_act": "none"}, "the config builds no model"),
    ],
)
def test_config_that_builds_no_model_is_refused(tmp_path, config, reason):
    (tmp_path / "config.json").write_text(json.dumps({**CONFIG, **config}))
    with pytest.raises(UserError, match=reason):
        shapes_of_config(tmp_path)


@pytest.mark.real
def test_real_models_shapes_from_weights_and_from_config_agree(shared):
    folder = shared / "models" / "stories260k"
    shapes = shapes_of_path(folder)
    assert shapes["model.layers.0.mlp.down_proj"] == (64, 172)
    assert len(shapes) == 5 * 7
    assert shapes == shapes_of_config(folder / "config.json")
