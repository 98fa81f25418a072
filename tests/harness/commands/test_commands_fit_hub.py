"""`tunematrix fit --model org/name`: a config from the hub, and nothing else of it."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.predict.shapes import shape_files
from tests.hub_server import HubServer

Fit = Callable[..., tuple[int, str, list[str]]]

LLAMA = json.loads(shape_files()["small-llama"].read_text())
SCRIPT = """
import sys
from harness.cli import main
try: main()
finally: assert not {'torch', 'transformers', 'pandas', 'scipy'} & set(sys.modules)
"""


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with HubServer() as server:
        yield server


@pytest.fixture
def fit(hub: HubServer, tmp_path: Path) -> Fit:
    """Asks for a model, in a process that knows this hub alone and imports no heavy library."""

    def run(model: str, *words: str, offline: bool = False) -> tuple[int, str, list[str]]:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, "fit", "--model", model, "--vram", "24GB", *words],
            cwd=tmp_path,
            env=hub.environment(tmp_path / "cache", offline=offline),
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout, done.stderr.splitlines()

    return run


def config(**keys: object) -> bytes:
    return json.dumps(LLAMA | keys).encode()


def test_the_config_alone_is_fetched_and_its_commit_is_named(hub: HubServer, fit: Fit) -> None:
    commit = hub.commit("org/name", {"config.json": config(), "model.safetensors": b"x", "tokenizer.json": b"{}"})

    code, output, errors = fit("org/name")

    assert (code, errors) == (0, [])
    assert f"Its config was read from the hub at revision {commit}." in output.replace("\n", " ")
    assert hub.downloaded() == ["config.json"]


def test_it_says_of_a_model_on_the_hub_what_it_says_of_the_same_shape(hub: HubServer, fit: Fit) -> None:
    commit = hub.commit("org/name", {"config.json": config()})

    there, here = (json.loads(fit(model, "--json")[1]) for model in ("org/name", "small-llama"))

    assert there.pop("revision") == commit
    assert (there.pop("model"), here.pop("model")) == ("org/name", "small-llama")
    assert there == here


def test_a_revision_chooses_the_config(hub: HubServer, fit: Fit) -> None:
    first = hub.commit("org/name", {"config.json": config()})
    second = hub.commit("org/name", {"config.json": config(vocab_size=512)})

    read = [json.loads(fit(f"org/name{at}", "--json")[1]) for at in (f"@{first}", "@main", "")]

    assert [answer["revision"] for answer in read] == [first, second, second]
    assert read[0]["parameters"] != read[1]["parameters"]


def test_what_was_read_once_is_known_without_the_hub(hub: HubServer, fit: Fit) -> None:
    hub.commit("org/name", {"config.json": config()})
    online = fit("org/name")
    hub.requests.clear()

    assert fit("org/name", offline=True) == online
    assert hub.requests == []


def test_offline_and_not_in_the_cache_is_one_line_that_names_what_would_be_right(hub: HubServer, fit: Fit) -> None:
    code, output, errors = fit("org/name", offline=True)

    assert (code, output) == (2, "")
    assert errors == [
        "tunematrix: hub model org/name: not, or not wholly, in the cache and HF_HUB_OFFLINE is set: "
        "run once with HF_HUB_OFFLINE=0 (nor is there a folder org/name here: --model takes a config.json as well)"
    ]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"config.json": b'{"model_type": "bert"}'}, "hub model org/name: bert is not a causal language model"),
        (
            {"config.json": config(architectures=["LlamaForSequenceClassification"])},
            "hub model org/name: LlamaForSequenceClassification is not a causal language model",
        ),
        ({"config.json": config(model_type="mamba")}, "hub model org/name: model_type 'mamba' is not predicted yet"),
        ({"config.json": config(auto_map={"AutoModel": "x.py"})}, "asks for code from the model's folder"),
        (
            {"config.json": config(num_attention_heads=6, num_key_value_heads=4)},
            "hub model org/name: num_attention_heads 6 is no multiple of num_key_value_heads 4",
        ),
        (
            {"config.json": config(hidden_size=100, num_attention_heads=8, num_key_value_heads=8, head_dim=None)},
            "hub model org/name: hidden_size 100 is no multiple of num_attention_heads 8",
        ),
        ({"config.json": config(num_hidden_layers=0)}, "num_hidden_layers: expected a whole number above zero, got 0"),
        ({"config.json": b"{"}, "hub model org/name: not JSON"),
        ({"config.json": b"[]"}, "hub model org/name: expected a JSON object, got list"),
        ({"README.md": b"# soon"}, "hub model org/name: no config.json"),
    ],
)
def test_a_model_that_cannot_be_told_is_one_line(hub: HubServer, fit: Fit, files: dict[str, bytes], says: str) -> None:
    hub.commit("org/name", {"model.py": b"raise SystemExit('run')", **files})

    code, output, errors = fit("org/name")

    assert (code, output, len(errors)) == (2, "", 1), errors
    assert errors[0].startswith("tunematrix: ") and says in errors[0]
    assert "model.py" not in hub.downloaded()


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("org/none", "hub model org/none: not found at "),
        ("org/gated", "access is refused (gated or private)"),
        ("org/name@v9", "hub model org/name: no revision 'v9'"),
        ("folder/config.json", "folder/config.json: no such shape, file or folder"),
        ("./org/name", "./org/name: no such shape, file or folder"),
        ("org/name/more", "org/name/more: no such shape, file or folder"),
    ],
)
def test_what_the_hub_does_not_have_is_one_line(hub: HubServer, fit: Fit, model: str, says: str) -> None:
    for name in ("org/name", "org/gated"):
        hub.commit(name, {"config.json": config()})
    hub.gate("org/gated")

    code, output, errors = fit(model)

    assert (code, output, len(errors)) == (2, "", 1), errors
    assert says in errors[0]


def test_a_folder_that_is_called_so_comes_first(hub: HubServer, fit: Fit, tmp_path: Path) -> None:
    (tmp_path / "org" / "name").mkdir(parents=True)
    (tmp_path / "org" / "name" / "config.json").write_bytes(config())

    code, output, _ = fit("org/name")

    assert code == 0 and "hub" not in output
    assert hub.requests == []
