"""Bases and data from a hub on this machine: by name and by revision, offline, and every way to fail."""

import json

import pytest
from safetensors.numpy import save

from tests.harness.bases.folders import tensors
from tests.hub_server import HubServer

RESOLVE = """
import json
from harness.bases import resolve_base
from harness.errors import UserError
found = []
for spec in {specs!r}:
    try:
        base = resolve_base("m", spec)
        found.append({{"digest": base.digest, "revision": base.revision, "licence": base.licence, "kind": base.kind}})
    except UserError as error:
        assert len(error.lines) == 1 and "\\n" not in str(error), error
        found.append({{"refused": str(error)}})
print(json.dumps(found))
"""

DATASET = """
from harness.bases import download_dataset_file
from harness.errors import UserError
try:
    print(*(f"{{path.name}} {{path.stat().st_size}}" for path in download_dataset_file({repo_id!r}, {revision!r})))
except UserError as error:
    print("refused", error)
"""


@pytest.fixture
def hub():
    with HubServer() as server:
        yield server


@pytest.fixture
def resolve(hub, tmp_path):
    """Resolves specs in one process that uses the local hub; gives a dict for each: the base's facts or the refusal."""

    def run(*specs: dict, offline: bool = False) -> list[dict]:
        return json.loads(hub.run_python(RESOLVE.format(specs=specs), tmp_path / "cache", offline=offline))

    return run


def test_model_is_fetched_by_name_and_then_found_without_the_hub(hub, resolve, model_folder):
    folder = model_folder()
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.safetensors").write_bytes(b"another runtime's")
    commit = hub.commit_folder("org/tiny", folder)

    (online,), fetched = resolve({"hub": "org/tiny"}), hub.downloaded()
    assert (online["kind"], online["revision"], online["licence"]) == ("hub", commit, "mit")
    assert "model.safetensors" in fetched and "tokenizer.json" in fetched
    assert not {"pytorch_model.bin", "onnx/model.safetensors"} & set(fetched)
    (local,) = resolve({"path": str(folder)})
    assert local["digest"] == online["digest"]

    hub.requests.clear()
    assert resolve({"hub": "org/tiny"}, {"hub": "org/tiny", "revision": commit}, offline=True) == [online, online]
    assert hub.requests == []


def test_revision_chooses_the_weights(hub, resolve, model_folder):
    folder = model_folder()
    first = hub.commit_folder("org/tiny", folder)
    (folder / "model.safetensors").write_bytes(save({name: array + 1 for name, array in tensors().items()}))
    second = hub.commit_folder("org/tiny", folder)
    hub.commit_folder("org/tiny", folder, revision="v2")

    old, new, tagged = resolve(
        {"hub": "org/tiny", "revision": first}, {"hub": "org/tiny"}, {"hub": "org/tiny", "revision": "v2"}
    )
    assert (old["revision"], new["revision"]) == (first, second)
    assert old["digest"] != new["digest"] == tagged["digest"]


def test_cache_serves_when_the_network_is_gone(hub, tmp_path, model_folder):
    hub.commit_folder("org/tiny", model_folder())
    code = RESOLVE.format(specs=[{"hub": "org/tiny"}])
    online = hub.run_python(code, tmp_path / "cache")
    with HubServer() as closed:
        pass
    assert closed.run_python(code, tmp_path / "cache") == online


def test_repository_with_pickles_alone_is_refused_before_any_is_fetched(hub, resolve, model_folder):
    folder = model_folder()
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    hub.commit_folder("org/pickled", folder)
    (found,) = resolve({"hub": "org/pickled"})
    assert "hub model org/pickled: only pickled weights (pytorch_model.bin)" in found["refused"]
    assert "pytorch_model.bin" not in hub.downloaded()


def test_model_that_we_cannot_train_is_refused_before_its_weights_are_fetched(hub, resolve, model_folder):
    hub.commit_folder("org/encoder", model_folder(config={"architectures": ["BertModel"], "model_type": "bert"}))
    (found,) = resolve({"hub": "org/encoder"})
    assert "BertModel is not a causal language model" in found["refused"]
    assert hub.downloaded() == ["config.json"]


def test_what_the_hub_does_not_have_is_refused(hub, resolve, model_folder):
    hub.commit_folder("org/tiny", model_folder())
    hub.commit_folder("org/gated", model_folder("other"))
    hub.gate("org/gated")
    hub.commit("org/adapter", {"adapter_config.json": b"{}", "adapter_model.safetensors": b""})
    hub.commit("org/readme", {"README.md": b"# soon"})
    cases = {
        "org/none": f"not found at {hub.url} (if it is private, set HF_TOKEN)",
        "org/gated": f"access is refused (gated or private): ask for it at {hub.url}/org/gated and set HF_TOKEN",
        "org/adapter": "holds an adapter, not a model",
        "org/readme": "hub model org/readme: no config.json",
        "not/an/id": "not the id of a repository: expected org/name",
    }
    found = resolve(*({"hub": repo_id} for repo_id in cases), {"hub": "org/tiny", "revision": "v9"})
    for line, expected in zip(found, [*cases.values(), "no revision 'v9'"], strict=True):
        assert expected in line["refused"]


def test_offline_and_not_in_the_cache_is_refused(hub, resolve):
    (found,) = resolve({"hub": "org/tiny"}, offline=True)
    assert "HF_HUB_OFFLINE is set: run once with HF_HUB_OFFLINE=0" in found["refused"]
    assert hub.requests == []


PARTIAL = "from huggingface_hub import snapshot_download as fetch; fetch('org/tiny', allow_patterns={patterns!r})"


def test_cache_that_lacks_nothing_but_the_papers_serves_offline(hub, resolve, model_folder, tmp_path):
    folder = model_folder()
    (folder / "LICENSE").write_text("MIT License")
    hub.commit_folder("org/tiny", folder)
    hub.run_python(PARTIAL.format(patterns=["*.json", "*.safetensors"]), tmp_path / "cache")
    found, local = resolve({"hub": "org/tiny"}, {"path": str(folder)}, offline=True)
    assert (found["digest"], found["licence"]) == (local["digest"], None)


def test_cache_that_lacks_weights_or_tokenizer_is_refused_offline(hub, resolve, model_folder, tmp_path):
    hub.commit_folder("org/tiny", model_folder())
    hub.run_python(PARTIAL.format(patterns=["config.json", "model.safetensors"]), tmp_path / "cache")
    (found,) = resolve({"hub": "org/tiny"}, offline=True)
    assert "not, or not wholly, in the cache" in found["refused"]


def test_hub_that_cannot_be_reached_is_refused(tmp_path):
    with HubServer() as closed:
        pass
    (found,) = json.loads(closed.run_python(RESOLVE.format(specs=[{"hub": "org/tiny"}]), tmp_path))
    assert f"{closed.url} cannot be reached" in found["refused"]


def test_data_files_of_a_dataset_are_fetched_at_a_revision(hub, tmp_path):
    files = {"data/train.jsonl": b"{}\n", "data/test.parquet": b"PAR1", "more.csv": b"a\n", "model.bin": b"x"}
    first = hub.commit("org/data", {**files, "dataset_infos.json": b"{}", "README.md": b"#"}, repo_type="dataset")
    hub.commit("org/data", {"data/train.jsonl": b"{}\n{}\n"}, repo_type="dataset")

    def fetch(revision: str | None, *, offline: bool = False) -> str:
        code = DATASET.format(repo_id="org/data", revision=revision)
        return hub.run_python(code, tmp_path / "cache", offline=offline).strip()

    assert fetch(first) == "test.parquet 4 train.jsonl 3 more.csv 2"
    assert fetch(None) == "train.jsonl 6"
    assert not {"model.bin", "dataset_infos.json"} & set(hub.downloaded())
    assert fetch(first, offline=True) == "test.parquet 4 train.jsonl 3 more.csv 2"


def test_dataset_without_data_or_without_a_repository_is_refused(hub, tmp_path):
    hub.commit("org/empty", {"README.md": b"#"}, repo_type="dataset")
    code = "".join(DATASET.format(repo_id=repo_id, revision=None) for repo_id in ("org/empty", "org/none"))
    empty, missing = hub.run_python(code, tmp_path).strip().splitlines()
    assert empty.startswith("refused hub dataset org/empty: no data file")
    assert missing.startswith("refused hub dataset org/none: not found")


@pytest.mark.slow
@pytest.mark.extended  # of the test's own server
def test_server_speaks_enough_for_transformers_and_datasets(hub, tmp_path, model_folder):
    hub.commit_folder("org/tiny", model_folder())
    hub.commit("org/data", {"data/train.jsonl": b'{"a": 1}\n', "data/test.jsonl": b'{"a": 2}\n'}, repo_type="dataset")
    code = """
from transformers import AutoModelForCausalLM, AutoTokenizer
from datasets import load_dataset
print(AutoModelForCausalLM.from_pretrained("org/tiny").config.hidden_size)
print(AutoTokenizer.from_pretrained("org/tiny").eos_token)
print(load_dataset("org/data")["test"][0])
"""
    assert hub.run_python(code, tmp_path / "cache").splitlines() == ["8", "</s>", "{'a': 2}"]
