"""What is wrong with a request is found before anything is made, and a plan makes nothing."""

import json
from pathlib import Path

import pytest

from harness.store.database import open_for_writing
from tests.small_suite import small_suite

VERBS = ("run", "plan", "largest-batch")
FEW = ("--set", "budget.steps=1", "--set", "seeds=1", "--set", "measure.enabled=false", "--only", "method=full_sft")


@pytest.fixture
def suite(tmp_path: Path) -> str:
    return str(small_suite(tmp_path / "suite"))


@pytest.fixture
def pairs(tmp_path: Path) -> str:
    """Preference pairs alone: of their chosen answers an SFT file is made as well."""
    rows = [{"prompt": f"what is {n} ?", "chosen": f"it is {n} .", "rejected": "no ."} for n in range(40)]
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return str(path)


def made(folder: Path) -> set[str]:
    """What is in ``folder`` beside what the tests were given."""
    return {path.name for path in folder.iterdir()} - {"suite", "pairs.jsonl"}


@pytest.mark.parametrize("verb", VERBS)
def test_a_results_file_in_a_folder_that_is_not_there(tunematrix, tmp_path: Path, suite: str, verb: str) -> None:
    code, _, errors = tunematrix(verb, suite, "--device", "cpu", "--vram", "1GB", "--db", "nodir/x.db")

    assert (code, errors) == (2, ["tunematrix: --db nodir/x.db: the folder nodir does not exist"])
    assert made(tmp_path) == set()


@pytest.mark.parametrize("verb", VERBS)
def test_a_file_that_is_no_results_file_is_refused_before_anything_is_made(
    tunematrix, tmp_path: Path, suite: str, verb: str
) -> None:
    (tmp_path / "x.db").write_text("words " * 1000)

    code, _, errors = tunematrix(verb, suite, "--device", "cpu", "--vram", "1GB", "--db", "x.db")

    assert (code, errors) == (2, ["tunematrix: --db x.db: is no SQLite database"])
    assert made(tmp_path) == {"x.db"}


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--vram", "999TB"),
        ("run", "--vram", "1GB", "--only", "method=nothing"),
        ("run", "--overhead", "2GB"),
        ("plan", "--only", "method=nothing"),
        ("largest-batch",),
        ("largest-batch", "--vram", "999TB"),
        ("largest-batch", "--vram", "1GB", "--only", "method=base"),
    ],
)
@pytest.mark.parametrize("own", [False, True])
def test_a_command_that_is_refused_leaves_nothing(
    tunematrix, tmp_path: Path, suite: str, pairs: str, words: tuple[str, ...], own: bool
) -> None:
    of = ("--base", "pocket-0.2m", "--data", pairs) if own else (suite,)

    code, _, errors = tunematrix(words[0], *of, "--device", "cpu", *words[1:])

    assert (code, len(errors)) == (2, 1)
    assert made(tmp_path) == set()


def test_a_refused_one_takes_nothing_of_others(tunematrix, tmp_path: Path, pairs: str) -> None:
    there = tmp_path / ".tunematrix" / "own" / "another"
    there.mkdir(parents=True)

    code, _, _ = tunematrix("run", "--base", "pocket-0.2m", "--data", pairs, "--only", "method=nothing")

    assert code == 2
    assert [path.name for path in there.parent.iterdir()] == ["another"]


def test_a_plan_makes_nothing(tunematrix, tmp_path: Path, suite: str, pairs: str) -> None:
    for of in ((suite,), ("--base", "pocket-0.2m", "--data", pairs)):
        assert tunematrix("plan", *of, "--device", "cpu")[0] == 0
        assert made(tmp_path) == set()


@pytest.mark.slow
def test_what_a_run_has_done_of_own_data_its_plan_knows(tunematrix, tmp_path: Path, pairs: str) -> None:
    words = ("--base", "pocket-0.2m", "--data", pairs, "--device", "cpu", *FEW)
    words = (*words, "--set", "methods.full_sft.learning_rate=1e-3")
    assert tunematrix("run", *words)[0] == 0

    states = {cell["state"] for cell in json.loads(tunematrix("plan", *words, "--json")[1])["cells"]}

    assert states == {"done"}


@pytest.mark.parametrize("verb", ["run", "plan"])
def test_an_overhead_is_of_a_cards_memory(tunematrix, suite: str, verb: str) -> None:
    code, _, errors = tunematrix(verb, suite, "--device", "cpu", "--overhead", "nonsense")

    assert (code, errors) == (2, ["tunematrix: --overhead nonsense: say what it is left of, as in --vram 24GB"])


def test_a_plan_looks_into_a_results_file_that_is_there(tunematrix, tmp_path: Path, suite: str) -> None:
    open_for_writing(tmp_path / "t.db").close()

    assert tunematrix("plan", suite, "--device", "cpu", "--db", "t.db")[0] == 0
    assert not (tmp_path / ".tunematrix").exists()
