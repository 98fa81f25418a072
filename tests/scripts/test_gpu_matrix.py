"""The GPU queue: the most telling first, for so long, one line where there is no GPU; on a CPU the small shapes."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from harness.cli import app
from harness.errors import UserError
from harness.units import parse_size
from scripts import gpu_matrix
from scripts.gpu_matrix import ROOT, Visit, chosen, command, fits, queue


def test_files_run_in_order_of_value():
    assert list(dict.fromkeys(visit.file.stem[0] for visit in queue("cuda"))) == ["1", "2", "3", "4", "5", "6", "7"]
    assert {visit.file.name for visit in queue("cpu")} == {"matrix.yaml"}


def test_limits_come_after_lengths_and_the_largest_batch_after_limits():
    visits = [(visit.file.stem, visit.words) for visit in queue("cuda")]
    assert visits[3:8] == [
        ("4-lengths", ("run",)),
        *(("5-limits", ("run", "--vram", limit)) for limit in ("24GB", "48GB", "80GB")),
        ("6-largest-batch", ("largest-batch",)),
    ]


def test_a_limit_that_is_more_than_the_device_has_is_left_out(monkeypatch):
    monkeypatch.setattr(gpu_matrix, "device_memory_bytes", lambda device: parse_size("--vram", "48GiB"))
    left = [visit.limit for visit in queue("cuda") if fits(visit, "cuda")]
    assert [limit for limit in left if limit] == ["24GB", "48GB"]


def test_files_are_chosen_by_their_numbers():
    assert {visit.number for visit in chosen(queue("cuda"), "1,3", None)} == {"1", "3"}
    assert chosen(queue("cuda"), None, None) == queue("cuda")


def test_a_file_in_which_nothing_matches_is_left_out():
    """`tunematrix run` would refuse it, and end the visit."""
    visits = chosen(queue("cuda"), None, "base=qwen2.5-0.5b|llama-2-7b", ("--retry-failed",))
    assert list(dict.fromkeys(visit.number for visit in visits)) == ["1", "4", "5"]
    assert visits[0].words == ("run", "--only", "base=qwen2.5-0.5b|llama-2-7b", "--retry-failed")


@pytest.mark.parametrize(
    ("files", "only", "told"),
    [
        ("1,9", None, "--files 1,9: there is no '9' (known: 1, 2, 3, 4, 5, 6, 7)"),
        (None, "base=gpt", "--only base=gpt: nothing matches in file 1, 2, 3, 4, 5, 6, 7"),
        ("3", "rank=64", "--only rank=64: nothing matches in file 3"),
        (None, "lora", "--only lora: expected method=, label=, base= or rank=, as in --only method=lora,rank=8"),
    ],
)
def test_what_there_is_not_is_refused(files, only, told):
    with pytest.raises(UserError) as refused:
        chosen(queue("cuda"), files, only)
    assert str(refused.value) == told


def test_each_gets_what_is_left_of_the_time_and_the_device_to_itself():
    words = command(Visit(Path("x.yaml"), ("run", "--vram", "24GB")), Path("gpu.db"), "cuda", 99.6)
    assert words[3:7] == ["run", "x.yaml", "--vram", "24GB"]
    assert words[words.index("--for") + 1] == "100"
    assert words[words.index("--jobs") + 1] == "1"
    assert "--jobs" not in command(Visit(Path("x.yaml"), ("largest-batch",)), Path("gpu.db"), "cuda", 9)


@pytest.mark.parametrize("visit", [*queue("cuda"), *queue("cpu")], ids=str)
def test_each_is_a_command_that_there_is(visit):
    (visit,) = chosen([visit], None, "method=full_sft|lora", ("--retry-failed",))
    given = command(visit, Path("gpu.db"), "cpu", 9)[3:]
    verb = get_command(app).commands[given[0]]
    assert verb.make_context(given[0], given[1:])


def queued(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.gpu_matrix", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def test_without_a_gpu_it_is_one_line(tmp_path):
    done = queued("--db", tmp_path / "gpu.db")
    if done.returncode == 0:
        pytest.skip("this machine has a GPU")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("gpu-matrix: ")


def test_a_choice_of_nothing_is_one_line_whatever_the_machine(tmp_path):
    done = queued("--db", tmp_path / "gpu.db", "--files", "8")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "gpu-matrix: --files 8: there is no '8' (known: 1, 2, 3, 4, 5, 6, 7)\n"


@pytest.mark.slow
@pytest.mark.extended
def test_on_a_cpu_it_measures_what_time_allows_and_goes_on(tmp_path):
    db = tmp_path / "cost.db"
    runs = []
    for _ in range(2):
        done = queued("--device", "cpu", "--db", db, "--budget", 60)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "the same command goes on from here" in done.stdout
        query = "SELECT json_group_array(cell_id || purpose) FROM runs WHERE status = 'ok'"
        runs.append(json.loads(sqlite3.connect(db).execute(query).fetchone()[0]))
    assert 1 < len(runs[0]) < len(runs[1]) == len(set(runs[1]))
    assert any(one.endswith("measure") for one in runs[0])
