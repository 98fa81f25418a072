"""The GPU queue: the most telling first, for so long, one line where there is no GPU; on a CPU the small shapes."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.gpu_matrix import ROOT, command, queue


def test_files_run_in_order_of_value():
    assert [path.stem[0] for path in queue("cuda")] == ["1", "2", "3", "4", "5"]
    assert [path.name for path in queue("cpu")] == ["matrix.yaml"]


def test_each_gets_what_is_left_of_the_time():
    words = command(Path("x.yaml"), Path("gpu.db"), "cuda", 99.6)
    assert words[words.index("--for") + 1] == "100"
    assert words[words.index("--jobs") + 1] == "1"


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
