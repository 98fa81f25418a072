"""`tunematrix largest-batch` from the user's side: found by real runs, told as a table and as JSON."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.store.database import open_for_reading
from tests.small_suite import small_suite

# Each limit is one of tensors: a batch of 8 takes 6.6 MiB, one of 16 takes 9.3 MiB.
QUICK = ("--device", "cpu", "--set", "budget.steps=1", "--set", "measure.steps=2", "--set", "batch_size=8")


@pytest.fixture
def suite(tmp_path: Path) -> str:
    return str(small_suite(tmp_path / "suite"))


def found(output: str) -> dict[str, Any]:
    (arm,) = json.loads(output)["arms"]
    return arm  # type: ignore[no-any-return]


@pytest.mark.slow
def test_what_it_finds_was_measured_and_the_next_was_too_large(tunematrix, suite: str) -> None:
    words = ("largest-batch", suite, *QUICK, "--only", "label=full_sft", "--vram", "9MB")
    code, output, _ = tunematrix(*words, "--json")
    assert code == 0
    arm = found(output)

    assert arm["found"] and arm["own"]["batch_size"] == 8 < arm["largest_batch"]
    assert arm["largest"]["memory_bytes"] <= 9_000_000 < 1.3 * arm["largest"]["memory_bytes"]
    assert arm["largest"]["memory_bytes"] > arm["own"]["memory_bytes"]
    assert min(arm[which]["tokens_per_second"] for which in ("own", "largest")) > 0
    too_large = arm["too_large"]
    assert (too_large["batch_size"], too_large["status"]) == (arm["largest_batch"] + 1, "oom")
    assert too_large["failed_phase"] == "train"
    assert too_large["reason"].startswith("needs more than 9 MB: ")
    assert abs(arm["predicted_too_many"]) <= 1
    assert [tried["status"] for tried in arm["tried"]].count("ok") >= 2

    runs = next(open_for_reading(Path("tunematrix.db")).query("SELECT count(*) AS n FROM runs"))["n"]
    code, output, _ = tunematrix(*words)
    assert code == 0
    assert next(open_for_reading(Path("tunematrix.db")).query("SELECT count(*) AS n FROM runs"))["n"] == runs
    assert "0 runs in" in output and "limited to 9 MB" in output
    assert f"{too_large['batch_size']}: oom in train" in output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "on a CPU say what is to fit, as in --vram 800MB"),
        (("--vram", "99TB"), "--vram 99TB: this machine has "),
        (("--vram", "1GB", "--only", "method=base"), "nothing is trained in it"),
        (("--vram", "1GB", "--only", "method=lora"), "--only method=lora: a matrix of zero cells"),
    ],
)
def test_wrong_input_is_one_line(tunematrix, suite: str, words: tuple[str, ...], says: str) -> None:
    code, output, errors = tunematrix("largest-batch", suite, "--device", "cpu", *words)

    assert (code, output, len(errors)) == (2, "", 1)
    assert says in errors[0]
    assert not Path("tunematrix.db").exists()


def test_what_cannot_be_searched_says_why(tunematrix, suite: str) -> None:
    code, output, _ = tunematrix(
        "largest-batch", suite, "--device", "cpu", "--vram", "1GB", "--set", "micro_batch_size=4", "--db", "a[red].db"
    )

    assert code == 0
    assert "results in a[red].db" in output
    assert "full_sft · pocket-0.2m: its batch is computed 4 at a time" in output
