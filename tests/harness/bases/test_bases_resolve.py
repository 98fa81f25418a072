"""Bases from the matrix file: each kind found, each mistake refused in one line that says what would be right."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import suites
from harness.bases import resolve_base
from harness.errors import UserError
from harness.paths import SHARED_VARIABLE
from tests.harness.bases.folders import CONFIG


def refusal(spec, **options) -> str:
    with pytest.raises(UserError) as caught:
        resolve_base("m", spec, **options)
    assert len(caught.value.lines) == 1, caught.value.lines
    assert "\n" not in caught.value.lines[0]
    return caught.value.lines[0]


@pytest.fixture
def installed_suite(model_folder, tmp_path, monkeypatch):
    folder = model_folder("suites/tiny/bases/tiny-1k")
    monkeypatch.setattr(suites, "__path__", [str(tmp_path / "suites")])
    return folder


def test_path_base_carries_everything_a_cell_needs(model_folder):
    folder = model_folder()
    (folder / "LICENSE").write_text("MIT License\n\nCopyright")
    base = resolve_base("m", {"path": str(folder)})
    assert (base.name, base.kind, base.folder, base.tokenizer_folder) == ("m", "path", folder, folder)
    assert (base.licence, base.revision, base.init_seed) == ("mit", None, None)
    assert base.config == CONFIG
    assert base.parameters == 64 + 3 * 64 - 64 + 2 * 32 + 3 * 96 + 3 * 8
    assert len(base.digest) == 64


def test_path_is_relative_to_the_matrix_file(model_folder, tmp_path):
    model_folder("bases/mine")
    assert resolve_base("m", {"path": "bases/mine"}, relative_to=tmp_path).kind == "path"


def test_embedded_base_is_found_in_its_suite(installed_suite):
    base = resolve_base("m", {"embedded": "tiny-1k"})
    assert (base.kind, base.folder) == ("embedded", installed_suite)


@pytest.mark.parametrize("name", ["tiny", "../tiny-1k", "*"])
def test_unknown_embedded_base_lists_those_there_are(installed_suite, name):
    assert refusal({"embedded": name}) == f"base m: no embedded base {name!r} (there are: tiny-1k)"


def test_config_base_has_a_seed_and_no_folder(model_folder):
    folder = model_folder()
    base = resolve_base("m", {"config": str(folder / "config.json"), "init_seed": 3})
    assert (base.kind, base.folder, base.tokenizer_folder) == ("config", None, None)
    assert (base.init_seed, base.parameters) == (3, None)


def test_config_base_takes_the_tokenizer_it_is_given(model_folder):
    folder, other = model_folder("a"), model_folder("b")
    base = resolve_base("m", {"config": str(folder), "tokenizer": str(other)})
    assert base.tokenizer_folder == other


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({}, "give exactly one of embedded, path, hub, config (got none)"),
        ({"path": "a", "hub": "b"}, "give exactly one of embedded, path, hub, config (got path, hub)"),
        ("pocket-1m", "expected a mapping such as {embedded: NAME}"),
        ({"path": "a", "revision": "x"}, "unknown key 'revision' (a base with 'path' takes pad_token, path)"),
        ({"path": 3}, "path: Input should be a valid string (got 3)"),
        ({"path": ""}, "path: String should have at least 1 character"),
        ({"config": "a", "init_seed": -1}, "init_seed: Input should be greater than or equal to 0 (got -1)"),
        ({"config": "a", "init_seed": True}, "init_seed: Input should be a valid integer (got True)"),
    ],
)
def test_spec_that_makes_no_sense_is_refused(spec, reason):
    assert reason in refusal(spec)


def test_keys_without_a_value_count_as_absent(model_folder):
    assert resolve_base("m", {"path": str(model_folder()), "hub": None, "pad_token": None}).kind == "path"


def test_a_shared_folder_may_lie_where_the_variable_says(model_folder, monkeypatch, tmp_path):
    folder = model_folder()
    monkeypatch.setenv(SHARED_VARIABLE, str(folder.parent))
    assert resolve_base("m", {"path": f"../../../shared/{folder.name}"}, relative_to=tmp_path).folder == folder
    assert SHARED_VARIABLE in refusal({"path": "../../../shared/nowhere"}, relative_to=tmp_path)


def test_missing_folder_is_named(tmp_path):
    assert refusal({"path": "nowhere"}, relative_to=tmp_path) == f"base m: no folder {tmp_path}/nowhere"


def test_missing_folder_that_looks_like_a_hub_id_gets_a_hint(tmp_path):
    line = refusal({"path": "Qwen/Qwen2.5-0.5B"}, relative_to=tmp_path)
    assert line.endswith("for a model on the hub write {hub: Qwen/Qwen2.5-0.5B}")


def test_file_in_place_of_a_folder_is_refused(model_folder):
    line = refusal({"path": str(model_folder() / "model.safetensors")})
    assert "is a file: expected a folder with config.json and model.safetensors" in line


def test_missing_config_is_refused(model_folder, tmp_path):
    folder = model_folder()
    (folder / "config.json").unlink()
    assert refusal({"path": str(folder)}) == f"base m: {folder}: no config.json"
    assert refusal({"config": str(folder)}) == f"base m: {folder}: no config.json"
    assert refusal({"config": "none.json"}, relative_to=tmp_path).endswith(
        f"config: no file or folder {tmp_path}/none.json"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{", "not JSON"), ("[1]", "expected a JSON object, got list"), ("[" * 100_000, "not JSON"), ("\xff", "not JSON")],
)
def test_broken_config_is_refused(model_folder, text, reason):
    folder = model_folder()
    (folder / "config.json").write_bytes(text.encode("latin-1"))
    assert reason in refusal({"path": str(folder)})


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"architectures": ["BertModel"]}, "BertModel is not a causal language model"),
        ({"architectures": ["LlamaForSequenceClassification"]}, "is not a causal language model"),
        ({"architectures": None, "model_type": "roberta"}, "roberta is not a causal language model"),
        ({"architectures": ["BertLMHeadModel"], "model_type": "bert"}, "is not a causal language model"),
        ({"architectures": ["T5ForConditionalGeneration"], "is_encoder_decoder": True}, "an encoder-decoder"),
        ({"model_type": None}, "no 'model_type'"),
        ({"auto_map": {"AutoModelForCausalLM": "evil.Model"}}, "code from the model's folder, which is never run"),
        ({"quantization_config": {"bits": 4}}, "already quantised"),
        ({"transformers_weights": "other.safetensors"}, "'transformers_weights' is not supported"),
    ],
)
def test_config_that_we_cannot_train_is_refused(model_folder, config, reason):
    assert reason in refusal({"path": str(model_folder(config=config))})


@pytest.mark.parametrize(
    "config",
    [
        {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2"},
        {"architectures": None},
        {"architectures": ["RobertaForCausalLM"], "model_type": "roberta", "is_decoder": True},
    ],
)
def test_causal_models_under_other_names_are_taken(model_folder, config):
    assert resolve_base("m", {"path": str(model_folder(config=config))})


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ([], "no weights: expected model.safetensors or shards with model.safetensors.index.json"),
        (["pytorch_model.bin", "training_args.bin"], "only pickled weights (pytorch_model.bin)"),
        (["consolidated.00.pth"], "safetensors only; convert with model.save_pretrained(DIR)"),
        (["weights.safetensors"], "found weights.safetensors, but the weights must be model.safetensors"),
        (["model.Q4_0.gguf"], "found model.Q4_0.gguf, but the weights must be model.safetensors"),
    ],
)
def test_folder_without_weights_to_load_is_refused(model_folder, names, reason):
    folder = model_folder()
    (folder / "model.safetensors").unlink()
    for name in names:
        (folder / name).write_bytes(b"")
    assert reason in refusal({"path": str(folder)})


def test_adapter_is_refused_even_beside_a_model(model_folder):
    folder = model_folder()
    (folder / "adapter_config.json").write_text("{}")
    assert "holds an adapter, not a model: merge it" in refusal({"path": str(folder)})


def test_corrupt_weights_are_refused(model_folder):
    folder = model_folder()
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:-1])
    assert "model.safetensors: not a sound safetensors file" in refusal({"path": str(folder)})


def test_text_that_is_no_unicode_is_refused(model_folder):
    folder = model_folder(config={"note": "\ud800"})
    assert "text that is no Unicode" in refusal({"path": str(folder)})


def test_tokenizer_folder_without_a_tokenizer_is_refused(model_folder, tmp_path):
    (tmp_path / "empty").mkdir()
    spec = {"config": str(model_folder()), "tokenizer": "empty"}
    assert refusal(spec, relative_to=tmp_path).endswith("empty holds no tokenizer.json")


@pytest.mark.parametrize(
    ("files", "licence"),
    [
        ({}, None),
        ({"README.md": "---\nlicense: apache-2.0\n---\n# A model"}, "apache-2.0"),
        ({"README.md": "---\nlicense: other\nlicense_name: llama3\n---\n"}, "llama3"),
        ({"README.md": "---\nlicense:\n- mit\n- apache-2.0\n---\n"}, "mit, apache-2.0"),
        ({"README.md": "# No front matter", "LICENSE": "MIT License\n"}, "mit"),
        (
            {"README.md": "---\n: [\n---\n", "LICENSE.txt": " Apache License\n   Version 2.0, January 2004"},
            "apache-2.0",
        ),
        ({"LICENCE": "\n\nThe Licence of Our House\nand more"}, "The Licence of Our House"),
    ],
)
def test_licence_is_read_where_the_folder_names_one(model_folder, files, licence):
    folder = model_folder()
    for name, text in files.items():
        (folder / name).write_text(text)
    assert resolve_base("m", {"path": str(folder)}).licence == licence


def test_resolving_imports_neither_torch_nor_transformers(model_folder):
    code = (
        "import sys; from harness.bases import resolve_base; "
        f"resolve_base('m', {{'path': {str(model_folder())!r}}}); "
        "print([name for name in ('torch', 'transformers', 'huggingface_hub') if name in sys.modules])"
    )
    root = Path(suites.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.real
def test_real_model_is_resolved(shared):
    folder = shared / "models" / "stories260k"
    base = resolve_base("stories", {"path": str(folder)})
    assert (base.parameters, base.licence) == (260_032, "mit")
    assert base.config["vocab_size"] == json.loads((folder / "config.json").read_text())["vocab_size"]
