"""Real workers: kills at any moment, time limits, Ctrl-C, and a second runner. The whole command, from outside."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from harness.store.database import open_for_reading
from tests.small_suite import small_suite

pytestmark = pytest.mark.slow

FEW = ("--set", "budget.steps=4", "--set", "seeds=1", "--set", "measure.enabled=false", "--jobs", "2")


class Command:
    """`tunematrix run` on a small suite, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.matrix = small_suite(folder / "suite")
        self.db = folder / "t.db"

    def start(self, *more: str) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "harness.cli", "run", str(self.matrix), "--db", str(self.db), *FEW, *more]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        return subprocess.Popen(
            words, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip

    def run(self, *more: str) -> tuple[int, str]:
        process = self.start(*more)
        output, _ = process.communicate(timeout=180)
        return process.returncode, output

    def statuses(self) -> dict[str, int]:
        query = "SELECT status, count(*) AS n FROM runs GROUP BY status"
        return {row["status"]: row["n"] for row in open_for_reading(self.db).query(query)}

    def wait_for_runs(self, count: int, status: str = "running") -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if self.db.exists() and self.statuses().get(status, 0) >= count:
                return
            time.sleep(0.05)
        raise AssertionError(f"never saw {count} runs {status}")


@pytest.fixture
def command(tmp_path) -> Command:
    return Command(tmp_path)


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def gone(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=20)
    return not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]


def twice(command: Command) -> list[object]:
    query = "SELECT cell_id FROM runs WHERE status = 'ok' GROUP BY cell_id, purpose HAVING count(*) > 1"
    return list(open_for_reading(command.db).query(query))


@pytest.mark.parametrize("moments", [(3.6,), pytest.param((2.7, 0.1, 1.5), marks=pytest.mark.extended)])
def test_a_runner_killed_at_any_moment_leaves_no_worker_and_the_next_run_goes_on(command, moments):
    for seconds in moments:
        process = command.start()
        command.wait_for_runs(1)
        time.sleep(seconds)
        workers = descendants(process)
        process.kill()
        process.wait()
        assert gone(workers)
    code, output = command.run()
    assert code == 0, output
    assert command.statuses()["ok"] == 5
    assert command.statuses().get("running", 0) == 0
    assert twice(command) == []


def is_worker(process: psutil.Process) -> bool:
    """Whether it is forked from the server, and has not ended since it was listed."""
    try:
        return "forkserver" in " ".join(process.cmdline()) and process.children() == []
    except psutil.Error:
        return False


def test_a_worker_that_is_killed_is_a_row_and_the_rest_goes_on(command):
    long = (
        "--only",
        "method=full_sft",
        "--set",
        "budget.steps=150",
    )  # still at work a second later
    process = command.start(*long)
    command.wait_for_runs(2)
    time.sleep(1)
    os.kill(max(p.pid for p in descendants(process) if is_worker(p)), signal.SIGKILL)
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 1, output
    assert command.statuses() == {"ok": 3, "killed": 1}
    assert "killed" in output
    assert command.run(*long)[0] == 0
    assert command.statuses() == {"ok": 4, "killed": 1}


def test_a_cell_over_its_time_limit_is_a_row(command):
    code, output = command.run("--only", "method=full_sft", "--set", "timeout_seconds=0.3")
    assert code == 1
    assert set(command.statuses()) == {"timeout"}
    assert "longer than its limit" in output


def test_ctrl_c_stops_cleanly_and_a_second_runner_is_turned_away_meanwhile(command):
    process = command.start()
    command.wait_for_runs(1)
    code, output = command.run()
    assert code == 2
    assert "another run" in output and "Traceback" not in output
    workers = descendants(process)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "the same command goes on from here" in output
    assert gone(workers)
    assert command.statuses().get("running", 0) == 0


@pytest.mark.extended
def test_ctrl_c_while_the_libraries_are_imported_stops_cleanly_too(command):
    """A terminal sends it to every process of the group, the fork server among them."""
    process = command.start()
    time.sleep(4)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "Traceback" not in output


@pytest.mark.extended  # what a GPU's worker is: half a minute for what the cells of a forked one show
def test_a_fresh_process_for_each_cell_gives_what_a_forked_one_gives(command):
    """On CUDA nothing is forked: a spare process imports ahead and waits for its cell."""
    from harness.executors import local

    def scores():
        query = "SELECT task, value FROM scores JOIN evals USING (eval_id) JOIN runs USING (run_id) ORDER BY started_at"
        return [tuple(row.values()) for row in open_for_reading(command.db).query(query)]

    only = ("--only", "method=full_sft", "--set", "methods.full_sft.learning_rate=1e-3")
    assert command.run(*only)[0] == 0
    forked = scores()
    for left in command.folder.glob("t.db*"):
        left.unlink()
    code = "import harness.executors.local as l; l.FORKING_DEVICES = (); import harness.cli; harness.cli.main()"
    words = [sys.executable, "-c", code, "run", str(command.matrix), "--db", str(command.db), *FEW, *only]
    assert local.FORKING_DEVICES == ("cpu",)
    done = subprocess.run(words, cwd=command.folder, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    assert scores() == forked
