"""A queue of matrix files is one snapshot: every file is in it, and it says which cells of each were not run."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.matrix import load_matrix
from harness.plan import Outcome
from harness.session import session_on_stack
from harness.snapshot.searched import standing
from tests.harness.snapshot.pretended import pretend_to_run
from tests.harness.snapshot.published import edit_manifest
from tests.small_suite import SMALL, small_suite

GPU = {"device": "cuda", "gpu": "Some GPU", "gpu_memory_gib": 70}
QUEUE = {"1-plain": ["run"], "2-limits": ["run --vram 24GB"]}


@pytest.fixture(autouse=True)
def clean_checkout(monkeypatch):
    monkeypatch.setattr("harness.stack.git_changes", lambda folder: [])


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two matrix files of one suite, in the order of a queue: the second has an arm less."""
    small = small_suite(tmp_path / "queue")
    small.unlink()
    quick = SMALL.replace("[1e-4, 3e-4, 1e-3]", "1e-4").replace(
        "  dpo: {starts_from: full_sft, learning_rate: 1e-4}\n", ""
    )
    (small.parent / "1-plain.yaml").write_text("seeds: 1\n" + quick)
    (small.parent / "2-limits.yaml").write_text("seeds: 1\n" + quick.replace("  base: {}\n", ""))
    ask(small.parent, QUEUE)
    return small.parent


def ask(folder: Path, queue: dict[str, Any]) -> None:
    (folder / "queue.json").write_text(json.dumps(queue))


def pretend(folder: Path, name: str, limit: int | None = None, at_most: int = 1000, **facts: Any) -> None:
    """That file's cells as if they had run on the GPU, some of its memory kept back as a limited run does it."""
    limited = {"memory_limit_bytes": limit, "memory_limit_overhead_bytes": 10**9} if limit else {}
    db = Path("tunematrix.db").resolve()
    stack = json.dumps({**GPU, **limited, **facts})
    pretend_to_run(session_on_stack(load_matrix(folder / f"{name}.yaml"), db, stack, "code"), db, at_most)


@pytest.fixture
def ran(folder, tunematrix) -> Path:
    """A results file in which the whole queue has run."""
    pretend(folder, "1-plain")
    pretend(folder, "2-limits", 24 * 10**9)
    return folder


def row(page: str, title: str) -> list[str]:
    line = next(line for line in Path(page).read_text().splitlines() if line.startswith(f"| {title} |"))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def published(tunematrix, folder: Path, *words: str) -> str:
    code, output, errors = tunematrix("publish", "mine", str(folder), *words)
    assert (code, errors) == (0, [])
    code, verdict, _ = tunematrix("verify", "results/mine")
    assert (code, verdict[:4]) == (0, "ok: ")
    return output


def refused(tunematrix, folder: Path, *words: str) -> str:
    code, _, errors = tunematrix("publish", "mine", str(folder), *words)
    assert (code, len(errors)) == (2, 1)
    assert not Path("results/mine").exists()
    return errors[0]


def test_one_that_has_run_under_all_its_limits_is_complete_and_of_one_machine(tunematrix, ran):
    output = published(tunematrix, ran)
    assert "NOT COMPLETE" not in output and "MIXED" not in output
    assert row("results/mine/README.md", "1-plain") == ["3", "3", "0", "0", "0"]
    assert row("results/mine/README.md", "2-limits, limited to 24 GB") == ["2", "2", "0", "0", "0"]


def test_every_file_of_it_is_kept_as_it_was(tunematrix, ran):
    published(tunematrix, ran)
    kept = {path.name: path.read_bytes() for path in Path("results/mine/matrices").iterdir()}
    assert kept == {path.name: path.read_bytes() for path in ran.iterdir() if path.is_file()}
    assert "`matrices/`" in Path("results/mine/README.md").read_text()


def test_one_that_time_ended_says_how_far_each_file_came(tunematrix, ran):
    ask(ran, {**QUEUE, "2-limits": ["run --vram 24GB", "run --vram 48GB"]})
    assert "2 of 7 cells have no result" in refused(tunematrix, ran)

    output = published(tunematrix, ran, "--allow", "unfinished")
    assert "NOT COMPLETE: 2 of 7 cells" in output and "of 2-limits, limited to 48 GB 2 of 2." in output
    assert row("results/mine/README.md", "2-limits, limited to 48 GB") == ["2", "0", "0", "0", "2"]
    assert "- not run of 2-limits, limited to 48 GB: all of it" in Path("results/mine/README.md").read_text()


def test_an_arm_that_was_not_run_is_named(tunematrix, folder):
    pretend(folder, "1-plain", at_most=1)
    published(tunematrix, folder, "--allow", "unfinished")
    assert "- not run of 1-plain: full\\_sft · pocket-0.2m\n" in Path("results/mine/README.md").read_text()


def test_what_ran_without_a_limit_is_no_result_under_one(tunematrix, folder):
    pretend(folder, "1-plain")
    assert "of 2-limits, limited to 24 GB 2 of 2" in refused(tunematrix, folder)


def test_a_limit_that_the_device_has_no_room_for_is_not_waited_for(tunematrix, ran):
    ask(ran, {**QUEUE, "2-limits": ["run --vram 24GB", "run --vram 80GB"]})
    assert "NOT COMPLETE" not in published(tunematrix, ran)
    assert row("results/mine/README.md", "2-limits, limited to 80 GB") == ["2", "0", "0", "2", "0"]


@pytest.mark.parametrize(("limit", "facts"), [(48 * 10**9, {}), (24 * 10**9, {"gpu": "Another"})])
def test_a_stack_that_the_queue_does_not_ask_for_is_another_one(tunematrix, ran, limit, facts):
    pretend(ran, "2-limits", limit, **facts)
    assert "runs of 3 stacks" in refused(tunematrix, ran, "--allow", "unfinished")


def test_one_file_alone_is_asked_for_under_every_limit_that_it_ran_under(tunematrix, folder):
    for limit in (24 * 10**9, 48 * 10**9):
        pretend(folder, "2-limits", limit)
    assert "MIXED" not in published(tunematrix, folder / "2-limits.yaml")
    assert row("results/mine/README.md", "matrix, limited to 48 GB") == ["2", "2", "0", "0", "0"]


def test_cells_that_are_taken_off_its_face_are_missed(tunematrix, ran):
    published(tunematrix, ran)
    cells = json.loads(Path("results/mine/manifest.json").read_text())["expected"]
    edit_manifest(Path("results/mine"), expected=[cell for cell in cells if cell["matrix"] == "2-limits"])
    assert "matrices/1-plain.yaml: its cells are not in the manifest" in tunematrix("verify", "results/mine")[1]


def test_a_result_under_another_limit_does_not_stand_for_it(tunematrix, ran):
    published(tunematrix, ran)
    cells = json.loads(Path("results/mine/manifest.json").read_text())["expected"]
    limited = next(cell["stack_id"] for cell in cells if cell["memory_limit_bytes"])
    base = next(cell for cell in cells if cell["arm"].startswith("base"))  # it ran without a limit alone
    base["stack_id"] = limited
    edit_manifest(Path("results/mine"), expected=cells)
    code, output, _ = tunematrix("verify", "results/mine")
    assert code == 1
    assert "no quality run that is done, as the manifest says there is" in output


class TestWrongInput:
    def test_a_queue_of_other_files(self, tunematrix, ran):
        ask(ran, {"1-plain": ["run"]})
        assert "2-limits: is not both there and a matrix file beside it" in refused(tunematrix, ran)

    @pytest.mark.parametrize(
        "queue", [[], {"1-plain": []}, {"1-plain": "run"}, {"1-plain": ["dance"]}, {"1-plain": ["run --only a"]}]
    )
    def test_a_queue_that_is_none(self, tunematrix, ran, queue):
        ask(ran, queue)
        assert "queue.json: expected lists of commands by file" in refused(tunematrix, ran)

    def test_files_of_two_suites(self, tunematrix, ran):
        file = ran / "2-limits.yaml"
        file.write_text(file.read_text().replace("suite: small", "suite: other"))
        assert "2-limits.yaml: suite: other, and of the file before it small: a snapshot" in refused(tunematrix, ran)

    def test_a_file_whose_name_no_snapshot_can_have(self, tunematrix, ran):
        (ran / "3 more.yaml").write_text((ran / "1-plain.yaml").read_text())
        assert "3 more.yaml: a snapshot's files are named with letters" in refused(tunematrix, ran)


class TestASearch:
    """Of an arm's largest batch: its arms are in no file, and it has come to its end where the largest is known."""

    @pytest.mark.parametrize(
        ("tried", "state", "why"),
        [
            ({}, "left", "its search has not begun"),
            ({2: "ok"}, "left", "its largest batch is not known: 2 fits"),
            ({4: "ok", 5: "oom"}, "left", "its largest batch is not known: 4 fits"),  # the own batch is for comparison
            ({2: "ok", 4: "ok", 6: "oom"}, "left", "its largest batch is not known: 4 fits"),
            ({2: "ok", 4: "ok", 5: "oom"}, "done", "largest batch: 4"),
            ({2: "ok", 40: "ok", 45: "oom"}, "done", "largest batch: 40"),  # an eighth is near enough
            ({2: "ok", 1024: "ok"}, "done", "largest batch: 1024"),
            ({2: "oom", 1: "oom"}, "failed", "it ended so"),
            ({2: "ok", 8: "timeout"}, "failed", "batch 8 ended as timeout: it ended so"),
            ({2: "ok", 4: "ok", 5: "oom", 8: "timeout"}, "done", "largest batch: 4"),
            ({2: "blocked"}, "blocked", "batch 2 ended as blocked: it ended so"),
        ],
    )
    def test_stands_as_what_was_tried_says(self, tried, state, why):
        outcomes = {batch: Outcome(f"run-{batch}", status, "it ended so", 1.0) for batch, status in tried.items()}
        assert standing(outcomes, own=2)[:2] == (state, why)

    @pytest.mark.slow
    def test_that_was_made_is_published_with_the_batch_that_it_found(self, tunematrix, folder):
        (folder / "1-plain.yaml").unlink()
        ask(folder, {"2-limits": ["largest-batch --vram 9MB"]})
        quick = ("--set", "budget.steps=1", "--set", "measure.steps=2", "--set", "batch_size=8")
        search = ("largest-batch", str(folder / "2-limits.yaml"), "--device", "cpu", "--vram", "9MB", *quick, "--json")
        code, output, _ = tunematrix(*search)
        assert code == 0
        published(tunematrix, folder, *quick, "--allow", "dirty")
        (cell,) = json.loads(Path("results/mine/manifest.json").read_text())["expected"]
        (arm,) = json.loads(output)["arms"]
        assert (cell["state"], cell["why"]) == ("done", f"largest batch: {arm['largest_batch']}")
