"""A base and data from a hub, at a revision: fetched once, and found again without a network."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hub_server import HubServer
from tests.real.real_cli import SHORT, Cli, override

pytestmark = pytest.mark.slow

EXAMPLES = "".join(
    json.dumps({"prompt": f"what is {n} plus {n} ?", "completion": f" it is {2 * n} ."}) + "\n" for n in range(40)
)
FEW = [
    *SHORT,
    *override("budget.steps=2", "methods.full_sft.learning_rate=1e-3", "tuning.keep=1"),
    *("--only", "label=base|full_sft"),
]


def test_base_and_data_come_from_the_hub_and_again_from_its_cache(
    tmp_path: Path, cli: Cli, query: Callable[[str], list[Any]]
) -> None:
    import suites

    pocket = Path(next(iter(suites.__path__))) / "pocket" / "bases" / "pocket-0.2m"
    home = tmp_path / "hf"
    with HubServer() as hub:
        hub.commit_folder("org/tiny", pocket, revision="v1")
        hub.commit("org/tiny", {"README.md": b"nothing here"}, revision="main")
        papers = b"---\nlicense: cc-by-4.0\n---\n# Data\n"
        files = {"data/train.jsonl": EXAMPLES.encode(), "data/test.jsonl": b"{}\n", "README.md": papers}
        hub.commit("org/data", files, repo_type="dataset")
        named = ["--base", "org/tiny@v1", "--data", "hub:org/data/data/train.jsonl"]

        cli("run", *named, *FEW, environment=hub.environment(home))
        fetched = hub.downloaded()
    offline = cli("plan", *named, *FEW, "--json", environment=hub.environment(home, offline=True))

    assert {"config.json", "model.safetensors", "data/train.jsonl"} <= set(fetched)
    assert "data/test.jsonl" not in fetched  # it was not asked for
    ((licences,),) = query("SELECT DISTINCT licences FROM cells WHERE method != 'base'")
    assert json.loads(licences)["data"] == {"hub:org/data/data/train.jsonl": "cc-by-4.0"}
    statuses = query("SELECT method, status FROM runs JOIN cells USING (cell_id)")
    assert sorted(statuses) == [("base", "ok"), ("full_sft", "ok")]
    assert {cell["state"] for cell in json.loads(offline.stdout)["cells"]} == {"done"}


def test_a_revision_that_is_not_there_is_one_line(tmp_path: Path, cli: Cli) -> None:
    with HubServer() as hub:
        hub.commit("org/tiny", {"README.md": b"nothing here"})
        hub.commit("org/data", {"train.jsonl": EXAMPLES.encode()}, repo_type="dataset")

        done = cli(
            *("plan", "--base", "org/tiny@v9", "--data", "hub:org/data"),
            code=2,
            environment=hub.environment(tmp_path / "hf"),
        )

    assert len(done.stderr.splitlines()) == 1
    assert "no revision 'v9'" in done.stderr


def test_of_several_files_one_must_be_named(tmp_path: Path, cli: Cli) -> None:
    import suites

    pocket = Path(next(iter(suites.__path__))) / "pocket" / "bases" / "pocket-0.2m"
    with HubServer() as hub:
        hub.commit("org/data", {"a.jsonl": EXAMPLES.encode(), "b.jsonl": EXAMPLES.encode()}, repo_type="dataset")

        done = cli(
            *("plan", "--base", str(pocket), "--data", "hub:org/data"),
            code=2,
            environment=hub.environment(tmp_path / "hf"),
        )

    assert "2 data files (a.jsonl, b.jsonl); name one, as in hub:org/data/train.jsonl" in done.stderr
