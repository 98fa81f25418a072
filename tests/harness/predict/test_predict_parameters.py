"""Parameters by formula against the models that Transformers builds, and against the counts that were published."""

import json

import pytest

from harness.errors import UserError
from harness.predict.parameters import adapted_by_layer, adapter_parameters, by_kind, total
from harness.predict.shapes import read_shape, shape_files

PUBLISHED = {
    "qwen2.5-0.5b": 494_032_768,
    "llama-3.2-1b": 1_235_814_400,
    "llama-3.2-3b": 3_212_749_824,
    "llama-2-7b": 6_738_415_616,
    "llama-3.1-8b": 8_030_261_248,
    "llama-3.1-70b": 70_553_706_496,
}


@pytest.fixture(scope="module", params=sorted(shape_files()))
def built(request):
    """The name of a shape, and its model without storage."""
    import torch
    from transformers import CONFIG_MAPPING, AutoModelForCausalLM

    settings = json.loads(shape_files()[request.param].read_text())
    config = CONFIG_MAPPING[settings.pop("model_type")].from_dict(settings)
    with torch.device("meta"):
        return request.param, AutoModelForCausalLM.from_config(config)


def test_every_published_shape_is_there() -> None:
    assert set(PUBLISHED) <= set(shape_files())


def test_a_model_of_the_shape_has_as_many_parameters_as_were_published(built) -> None:
    name, model = built

    assert model.num_parameters() == PUBLISHED.get(name, total(read_shape(name)))


def test_parameters_by_kind(built) -> None:
    name, model = built
    counted = dict.fromkeys(("embedding", "attention", "mlp", "norms", "lm_head"), 0)
    for path, parameter in model.named_parameters():
        kind = (
            "lm_head" if "lm_head" in path else "embedding" if "embed" in path else "norms" if "norm" in path
            else "attention" if "self_attn" in path else "mlp"
        )  # fmt: skip
        counted[kind] += parameter.numel()

    assert by_kind(read_shape(name)) == counted


def test_linear_layers_are_the_models_own(built) -> None:
    import torch

    name, model = built
    layer = model.model.layers[0]
    own = {
        path: (module.out_features, module.in_features, module.bias is not None)
        for path, module in layer.named_modules()
        if isinstance(module, torch.nn.Linear)
    }

    assert {x.name: (x.outputs, x.inputs, x.bias) for x in read_shape(name).linears} == own


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_rotary_frequencies_are_of_the_heads_width(name: str) -> None:
    config = json.loads(shape_files()[name].read_text())
    shape = read_shape(name)

    assert shape.head_dim == config.get("head_dim", config["hidden_size"] // config["num_attention_heads"])
    assert shape.heads * shape.head_dim == shape.hidden
    assert config["rope_parameters"]["rope_theta"] in (1e4, 5e5, 1e6)


def adapter_size(name: str, rank: int, *targets: str) -> int:
    found = adapter_parameters(read_shape(name), rank, targets or "all-linear")
    return sum(parameter.elements * parameter.count for parameter in found)


def test_lora_of_rank_8_on_query_and_value_of_7b_is_4_2_million() -> None:
    """The claim `lora-params-4.2m` and its neighbours."""
    assert adapter_size("llama-2-7b", 8, "q_proj", "v_proj") == 4_194_304
    assert adapter_size("llama-2-7b", 8) == 19_988_480
    assert adapter_size("llama-3.1-8b", 8, "q_proj", "v_proj") == 3_407_872


def test_targets_are_read_as_peft_reads_them() -> None:
    shape = read_shape("small-llama")

    assert adapted_by_layer(shape, "all-linear") == [shape.linears] * 6
    assert [len(layer) for layer in adapted_by_layer(shape, ("q_proj", "mlp.up_proj"))] == [2] * 6
    assert [len(layer) for layer in adapted_by_layer(shape, r".*layers\.[12]\.mlp\..*")] == [0, 3, 3, 0, 0, 0]


@pytest.mark.parametrize("targets", [("q_proj", "wq"), ("lm_head",), "nothing"])
def test_a_module_that_is_not_there_is_refused(targets) -> None:
    with pytest.raises(UserError, match="target_modules"):
        adapted_by_layer(read_shape("small-llama"), targets)


def test_a_rank_that_a_layer_has_no_room_for_is_refused() -> None:
    with pytest.raises(UserError, match=r"rank 129: self_attn.k_proj is 128 x 256"):
        adapter_size("small-llama", 129)
