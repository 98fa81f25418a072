"""Bases and matrix of the large pocket world: bounded by time, resumable, one line where there is no GPU; a rehearsal
on a CPU goes through all of it."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from harness.matrix import load_matrix
from scripts import gpu_pocket
from scripts.gpu_matrix import command
from scripts.gpu_pocket import ROOT, bases_of, jobs_on, pretraining_seconds, visit
from suites.pocket_large.bases import REAL, REHEARSAL
from suites.pocket_large.make import make_suite

VOCABULARY = 5184


def asked(*words: object, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.gpu_pocket", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)


def test_without_a_gpu_it_is_one_line(tmp_path: Path) -> None:
    done = asked("--db", tmp_path / "gpu.db", "--folder", tmp_path, "--budget", 1)
    if done.returncode == 0:
        pytest.skip("this machine has a GPU")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("gpu-pocket: ")
    assert list(tmp_path.iterdir()) == []


def test_pretraining_is_a_matter_of_minutes_by_an_h100s_data_sheet() -> None:
    """As the suite's page says: one minute and three and a half. An assumption, until it is measured."""
    small, large = (pretraining_seconds(recipe, VOCABULARY, "h100") for recipe in REAL.recipes)
    assert 45 < small < 90
    assert 150 < large < 270


@pytest.mark.extended
def test_the_plan_is_told_without_a_gpu() -> None:
    done = asked("--plan", "--card", "rtx-4090")
    assert done.returncode == 0, done.stderr
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["pocket-10m", "pocket-50m"]
    assert all(line.endswith("on rtx-4090: predicted, not measured") for line in done.stdout.splitlines())


@pytest.mark.extended
def test_a_card_that_there_is_not_is_one_line() -> None:
    done = asked("--plan", "--card", "voodoo2")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert done.stderr.startswith("gpu-pocket: --card voodoo2: there is none such")


def test_a_gpu_gets_the_matrix_as_it_is_and_a_rehearsal_a_short_one() -> None:
    words = command(visit(Path("made"), "cuda", "base=pocket-10m"), Path("gpu.db"), "cuda", 99.6)
    assert words[words.index("run") :] == [
        *("run", "made/matrix.yaml", "--only", "base=pocket-10m", "--db", "gpu.db", "--device", "cuda", "--jobs", "1"),
        *("--for", "100"),
    ]
    assert "--set" in command(visit(Path("made"), "cpu", None), Path("gpu.db"), "cpu", 9)


def test_only_the_bases_of_cells_that_are_asked_for_are_pretrained() -> None:
    assert bases_of(REAL, None) == bases_of(REAL, "method=lora,rank=8") == ["pocket-10m", "pocket-50m"]
    assert bases_of(REAL, "base=pocket-10m") == ["pocket-10m"]
    assert bases_of(REHEARSAL, "base=rehearsal-b,label=base") == ["rehearsal-b"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--only", "base=pocket-9m"), "--only base=pocket-9m: nothing matches (bases: rehearsal-a, rehearsal-b)"),
        (("--jobs", 0), "--jobs 0: expected 1 or more"),
    ],
    ids=str,
)
def test_what_cannot_run_is_one_line_before_anything_is_pretrained(tmp_path: Path, words, told: str) -> None:
    done = asked("--device", "cpu", "--folder", tmp_path, *words)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"gpu-pocket: {told}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("cores", "jobs"), [(1, 1), (2, 1), (8, 4), (16, 6)])
def test_a_gpu_gets_a_cell_for_two_cores_up_to_six(monkeypatch: pytest.MonkeyPatch, cores: int, jobs: int) -> None:
    monkeypatch.setattr(gpu_pocket.os, "sched_getaffinity", lambda process: range(cores))
    assert (jobs_on("cuda"), jobs_on("cpu")) == (jobs, 1)
    words = command(visit(Path("made"), "cuda", None), Path("gpu.db"), "cuda", 9, jobs)
    assert words[words.index("--jobs") + 1] == str(jobs)


def test_a_rehearsal_has_every_entry_of_the_matrix(tmp_path: Path) -> None:
    make_suite(REHEARSAL, tmp_path)
    settings = [word for word in visit(tmp_path, "cpu", None).words if "=" in word]
    whole, short = (load_matrix(tmp_path / "matrix.yaml", told) for told in ((), tuple(settings)))
    assert {one.label for one in short.variants} == {one.label for one in whole.variants}
    assert len(short.variants) < len(whole.variants)
    assert short.seeds == (1,)


@pytest.mark.slow
@pytest.mark.extended
def test_one_base_alone_is_pretrained_and_its_cells_run(tmp_path: Path) -> None:
    words = ("--device", "cpu", "--folder", tmp_path / "made", "--db", tmp_path / "pocket.db", "--budget", 300)
    done = asked(*words, "--only", "base=rehearsal-a,label=base")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [folder.name for folder in (tmp_path / "made" / "rehearsal" / "bases").iterdir()] == ["rehearsal-a"]
    ran = sqlite3.connect(tmp_path / "pocket.db").execute(
        "SELECT DISTINCT base, method, status FROM runs JOIN cells USING (cell_id)"
    )
    assert ran.fetchall() == [("rehearsal-a", "base", "ok")]


@pytest.mark.slow
@pytest.mark.extended
def test_a_rehearsal_pretrains_checks_and_runs_every_kind_of_cell_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    words = ("--device", "cpu", "--folder", tmp_path / "made", "--db", tmp_path / "pocket.db")
    first = asked(*words, "--budget", 4)
    assert first.returncode == 0, first.stderr
    assert first.stdout.endswith("time is up: the same command goes on from here\n")
    assert not (tmp_path / "pocket.db").exists()

    done = asked(*words, "--budget", 900, timeout=1200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rehearsal-a: 147,776 parameters, from step 0" not in done.stdout
    query = "SELECT json_group_array(base || ' ' || method || ' ' || purpose) FROM runs JOIN cells USING (cell_id)"
    db = sqlite3.connect(tmp_path / "pocket.db")
    ran = set(json.loads(db.execute(f"{query} WHERE status = 'ok'").fetchone()[0]))
    for base in ("rehearsal-a", "rehearsal-b"):
        trained = {f"{base} {m} {p}" for m in ("full_sft", "lora", "qlora", "dpo") for p in ("quality", "measure")}
        assert trained | {f"{base} base quality"} <= ran
    assert db.execute("SELECT count(*) FROM runs WHERE status != 'ok'").fetchone() == (0,)
