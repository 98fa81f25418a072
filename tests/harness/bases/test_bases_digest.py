"""A base's digest: what moves it and what must not."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from harness.bases import resolve_base
from tests.harness.bases.folders import save_shards, save_tokenizer, tensors

WEIGHT_BYTES = sum(array.nbytes for array in tensors().values())


def digest_of(folder: Path, **spec) -> str:
    return resolve_base("m", {"path": str(folder), **spec}).digest


def edit_json(file: Path, **changes) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_digest_does_not_depend_on_the_path(model_folder, tmp_path):
    folder = model_folder()
    shutil.copytree(folder, tmp_path / "elsewhere")
    assert digest_of(folder) == digest_of(tmp_path / "elsewhere")


@pytest.mark.parametrize("shards", [1, 2, 5])
def test_digest_does_not_depend_on_sharding(model_folder, shards):
    single = digest_of(model_folder("single"))
    folder = model_folder("sharded")
    save_shards(folder, tensors(), shards)
    assert digest_of(folder) == single


def test_digest_does_not_depend_on_the_order_of_tensors_or_on_metadata(model_folder):
    folder = model_folder()
    before = digest_of(folder)
    save_file(dict(reversed(tensors().items())), folder / "model.safetensors", metadata={"format": "pt"})
    assert digest_of(folder) == before


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, WEIGHT_BYTES - 1), flip=st.integers(1, 255))
def test_digest_changes_with_any_one_byte_of_the_weights(model_folder, tmp_path, position, flip):
    folder = tmp_path / "model" if (tmp_path / "model").exists() else model_folder()
    file = folder / "model.safetensors"
    before, content = digest_of(folder), bytearray(file.read_bytes())
    at = len(content) - 1 - position
    content[at] ^= flip
    file.write_bytes(content)
    changed = digest_of(folder)
    content[at] ^= flip
    file.write_bytes(content)
    assert changed != before


def test_digest_changes_when_tensors_swap_names(model_folder):
    weights = tensors()
    k, v = "model.layers.0.self_attn.k_proj.weight", "model.layers.0.self_attn.v_proj.weight"
    swapped = {**weights, k: weights[v], v: weights[k]}
    assert digest_of(model_folder("a")) != digest_of(model_folder("b", weights=swapped))


def test_digest_changes_with_a_tensors_name(model_folder):
    weights = tensors()
    renamed = {name.replace("model.norm", "model.normal"): array for name, array in weights.items()}
    assert digest_of(model_folder("a")) != digest_of(model_folder("b", weights=renamed))


def test_digest_changes_with_the_shape_of_the_same_bytes(model_folder):
    weights = tensors()
    name = "model.layers.0.mlp.down_proj.weight"
    reshaped = {**weights, name: weights[name].reshape(12, 8)}
    assert digest_of(model_folder("a")) != digest_of(model_folder("b", weights=reshaped))


@pytest.mark.parametrize("volatile", [{"transformers_version": "5.17.0"}, {"_name_or_path": "/home/x"}])
def test_digest_ignores_what_a_library_says_of_itself(model_folder, volatile):
    assert digest_of(model_folder("a")) == digest_of(model_folder("b", config=volatile))


def test_digest_ignores_volatile_keys_of_a_nested_config(model_folder):
    old = model_folder("a", config={"text_config": {"transformers_version": "4", "hidden_size": 8}})
    new = model_folder("b", config={"text_config": {"transformers_version": "5", "hidden_size": 8}})
    assert digest_of(old) == digest_of(new)


def test_digest_takes_the_old_name_of_dtype_for_the_new_one(model_folder):
    old, new = {"torch_dtype": "float32"}, {"dtype": "float32"}
    assert digest_of(model_folder("a", config=old)) == digest_of(model_folder("b", config=new))


@pytest.mark.parametrize("meaning", [{"rms_norm_eps": 1e-3}, {"dtype": "bfloat16"}, {"rope_theta": float("inf")}])
def test_digest_changes_with_a_config_key_that_means_something(model_folder, meaning):
    assert digest_of(model_folder("a")) != digest_of(model_folder("b", config=meaning))


def test_digest_changes_with_the_vocabulary(model_folder):
    folder = model_folder()
    before = digest_of(folder)
    vocabulary = (folder / "tokenizer.json").read_text()
    (folder / "tokenizer.json").write_text(vocabulary.replace('"d"', '"z"'))
    assert digest_of(folder) != before


@pytest.mark.parametrize("changed", [{"chat_template": "{{ messages }}"}, {"eos_token": "<pad>"}])
def test_digest_changes_with_the_tokenizers_settings(model_folder, changed):
    folder = model_folder()
    before = digest_of(folder)
    save_tokenizer(folder, **changed)
    assert digest_of(folder) != before


def test_digest_ignores_how_a_token_is_written_out_and_which_class_wrote_it(model_folder):
    folder = model_folder()
    before = digest_of(folder)
    written_out = {"__type": "AddedToken", "content": "</s>", "special": True}
    save_tokenizer(folder, eos_token=written_out, tokenizer_class="LlamaTokenizer", name_or_path="/x")
    assert digest_of(folder) == before


def test_a_pad_token_from_the_matrix_counts_like_one_from_the_tokenizer(model_folder):
    named = model_folder("a")
    unnamed = model_folder("b")
    save_tokenizer(unnamed, pad_token=None)
    assert digest_of(unnamed) != digest_of(named)
    assert digest_of(unnamed, pad_token="<pad>") == digest_of(named)


def test_digest_ignores_files_that_are_not_the_model(model_folder):
    folder = model_folder()
    before = digest_of(folder)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    (folder / "training_args.bin").write_bytes(b"x")
    (folder / "consolidated.safetensors").write_bytes(b"x")
    assert digest_of(folder) == before


def test_digest_of_a_config_depends_on_its_seed_and_shape_alone(model_folder, tmp_path):
    file = model_folder() / "config.json"

    def digest_of_config(**spec) -> str:
        return resolve_base("m", {"config": str(file), **spec}).digest

    first = digest_of_config()
    assert digest_of_config(init_seed=0) == first
    assert digest_of_config(init_seed=1) != first
    edit_json(file, transformers_version="0")
    assert digest_of_config() == first
    edit_json(file, num_hidden_layers=2)
    assert digest_of_config() != first


def test_digest_of_a_config_depends_on_its_tokenizer(model_folder):
    folder = model_folder()
    without = resolve_base("m", {"config": str(folder / "config.json")})
    with_one = resolve_base("m", {"config": str(folder / "config.json"), "tokenizer": str(folder)})
    assert without.digest != with_one.digest
    assert resolve_base("m", {"config": str(folder)}).digest == with_one.digest


@pytest.mark.real
def test_digest_of_a_real_model_survives_a_save_in_shards(shared, tmp_path):
    from safetensors.numpy import load_file

    source = shared / "models" / "stories260k"
    folder = tmp_path / "copy"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(source / name, folder)
    save_shards(folder, load_file(source / "model.safetensors"), 3)
    assert digest_of(folder) == digest_of(source)
