"""What is carried to a machine without a network: what it lacks, pruned to what it uses."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import lm_eval
import pytest

from scripts.carry import ROOT, needed, pack, pinned, prune, size_of, versions_of


def carried(freeze: str) -> list[str]:
    return needed(versions_of(freeze))[0]


def test_what_is_there_is_not_carried_nor_what_only_that_needs():
    everything = carried("")
    assert {"bitsandbytes", "trl", "lm-eval", "transformers"} <= set(everything)
    assert not {"torch", "altair", "pytest", "streamlit"} & set(everything)
    assert "trl" not in carried("trl")
    assert "tokenizers" not in carried("transformers\ntrl\npeft\naccelerate\nlm-eval\ndatasets")


def test_another_version_than_is_asked_for_is_carried_with_what_it_needs():
    assert "peft" not in carried("peft==0.21.1")
    assert "peft" in carried("peft==0.12.0")  # pyproject.toml asks for 0.21
    assert {"pydantic", "pydantic-core"} <= set(carried("pydantic==1.10\npydantic-core==2.0"))
    assert "pydantic-core" not in carried("pydantic==2.11.1\npydantic-core==2.0")  # nobody of ours asks for another


def test_what_the_machine_is_built_on_is_told_and_not_replaced():
    names, unfit = needed(versions_of("torch==2.4.1+cu121\ntransformers==5.18.0.dev0\nnumpy==2.2.0"))
    assert not {"torch", "transformers", "numpy"} & set(names)
    assert unfit == ["torch 2.4.1+cu121 is there, tunematrix asks for <2.14,>=2.11: it is not replaced"]
    assert needed(versions_of("torch==2.11.0+cu130"))[1] == []


def test_versions_are_the_locked_ones():
    assert pinned(["trl"])[0].startswith("trl==")
    assert pinned(["not-locked"]) == ["not-locked"]


def test_a_freeze_is_read_whatever_its_lines_look_like():
    freeze = "Jinja2==3.1\ntorch @ file:///x.whl\n-e .\n# note\nlm_eval\n"
    assert versions_of(freeze) == {"jinja2": "3.1", "torch": None, "lm-eval": None}


def test_one_cuda_version_of_bitsandbytes_is_kept_and_no_tests_nor_tasks(tmp_path):
    for name in (
        "bitsandbytes/libbitsandbytes_cuda130.so",
        "bitsandbytes/libbitsandbytes_cpu.so",
        "x/tests/t.py",
        "x/a.py",
        "lm_eval/tasks/__init__.py",
        "lm_eval/tasks/mmlu/utils.py",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("four")
    prune(tmp_path, "130")
    kept = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert kept == {"bitsandbytes/libbitsandbytes_cuda130.so", "x/a.py", "lm_eval/tasks/__init__.py"}
    assert size_of(tmp_path) == 12


def test_one_file_holds_it_all(tmp_path):
    (tmp_path / "carried" / "x").mkdir(parents=True)
    (tmp_path / "carried" / "x" / "a.py").write_text("four")
    packed = pack(tmp_path / "carried")
    assert packed == tmp_path / "carried.tar.xz"
    with tarfile.open(packed) as file:
        file.extractall(tmp_path / "there", filter="data")
    assert (tmp_path / "there" / "carried" / "x" / "a.py").read_text() == "four"


@pytest.mark.slow
@pytest.mark.extended
def test_without_its_own_tasks_lm_eval_loads_those_of_a_suite(tmp_path):
    shutil.copytree(Path(lm_eval.__file__).parent, tmp_path / "lm_eval")
    prune(tmp_path, "130")
    assert len(list((tmp_path / "lm_eval").rglob("*"))) < 200
    words = "import lm_eval; print(lm_eval.__file__); from harness.scoring import _tasks; from pathlib import Path; "
    words += "print(len(_tasks(Path('suites/pocket/tasks'), ('pocket_facts', 'pocket_politeness'), 0)['tasks']))"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(tmp_path / "lm_eval" / "__init__.py"), "2"]
