"""Run cells on this machine, a fresh process each.

On a CPU the process is forked from a server that has imported the libraries once (seconds saved on every cell); on
CUDA, where a fork after the driver was touched is broken, a spare process imports ahead and waits for its cell.
"""

import contextlib
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from harness.assignment import Assignment
from harness.events import Event, Failed, from_line

FORKING_DEVICES = ("cpu",)  # a process forked after CUDA was touched is broken
PRELOAD = "harness.executors.preload"
IMPORT_SECONDS = 180.0  # how long a fresh process may take to import the libraries
END_SECONDS = 30.0  # how long one that has said its last word may take to be gone
WARM_VARIABLE = "TUNEMATRIX_WARM"  # what the preload reads


@dataclass(eq=False)
class Worker:
    """One process, idle or at work on ``run_id``."""

    process: Any
    connection: Connection
    log: Path
    run_id: str | None = None
    ready: bool = False
    timeout_seconds: float = float("inf")
    deadline: float = float("inf")
    ended: bool = False  # it said Done or Failed
    killed_for: str | None = None
    oom_kills: int = 0
    inbox: list[Event] = field(default_factory=list)


class LocalExecutor:
    """Starts workers and listens to them. Use as a context manager: leaving it kills whatever still runs."""

    def __init__(self, device: str, logs: Path) -> None:
        self.device, self.logs = device, logs
        logs.mkdir(parents=True, exist_ok=True)
        self.forks = device in FORKING_DEVICES
        self.context: Any = multiprocessing.get_context("forkserver" if self.forks else "spawn")
        self.workers: dict[str, Worker] = {}
        self.spare: Worker | None = None
        self.names = 0

    def __enter__(self) -> "LocalExecutor":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill_all("the runner stopped")
        if self.spare is not None:
            self.spare.process.kill()

    def warm(self, tasks_folder: Path | None, tasks: list[str], tokenizers: list[tuple[str, str | None]]) -> None:
        """Begin importing in the background, tasks and tokenizers too, so that the first cell finds it done."""
        if tasks_folder is not None and tasks:
            what = {"tasks_folder": str(tasks_folder), "tasks": tasks, "tokenizers": tokenizers}
            os.environ[WARM_VARIABLE] = json.dumps(what)
        if self.forks:
            self.context.set_forkserver_preload([PRELOAD])
            from multiprocessing import forkserver

            with _deaf_to_interrupts():  # it goes on importing where Ctrl-C reaches every process of the terminal
                forkserver.ensure_running()
        elif self.spare is None:
            self.spare = self._spawn()

    def start(self, assignment: Assignment, *, timeout_seconds: float, exclusive: bool) -> None:
        """Hand ``assignment`` to a worker. Beside an exclusive run nothing imports: the next spare comes after it.

        On a GPU it begins when the driver has taken back the memory of those that have ended.
        """
        if not self.forks:
            self._await_ended()
        worker = self.spare or self._spawn()
        self.spare = None
        if exclusive and not self.forks:
            self._await_ready(worker)
        worker.run_id = assignment.run_id
        worker.timeout_seconds = timeout_seconds
        worker.deadline = time.monotonic() + timeout_seconds + IMPORT_SECONDS
        worker.oom_kills = _kernel_oom_kills()
        self.workers[assignment.run_id] = worker
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # died at once: its end is read like any other
            worker.connection.send_bytes(assignment.model_dump_json().encode())
        if not exclusive and not self.forks:
            self.spare = self._spawn()

    def poll(self, seconds: float) -> list[tuple[str, Event]]:
        """Events that came within ``seconds``, each with its run; a worker that died gives a Failed of its own."""
        self._enforce_deadlines()
        watched = {worker.connection: worker for worker in self.workers.values()}
        if not watched:
            time.sleep(min(seconds, 0.05))
            return []
        events: list[tuple[str, Event]] = []
        for ready in wait(list(watched), timeout=seconds):
            worker = watched[ready]  # type: ignore[index]
            assert worker.run_id is not None
            events += [(worker.run_id, event) for event in self._read(worker)]
        return events

    def kill(self, run_id: str, reason: str) -> None:
        """End a run's worker now."""
        worker = self.workers.get(run_id)
        if worker is not None:
            worker.killed_for = reason
            worker.process.kill()

    def kill_all(self, reason: str) -> None:
        """End every worker now, and wait until they are gone."""
        for run_id in list(self.workers):
            self.kill(run_id, reason)
        for worker in self.workers.values():
            worker.process.join(timeout=10)
        self.workers.clear()

    def _spawn(self) -> Worker:
        self.names += 1
        log = self.logs / f"worker-{os.getpid()}-{self.names}.log"
        ours, theirs = self.context.Pipe(duplex=True)
        from harness.executors.worker import work

        process = self.context.Process(target=work, args=(theirs, str(log)), daemon=True)
        process.start()
        theirs.close()
        return Worker(process, ours, log)

    def _await_ended(self) -> None:
        for worker in self.workers.values():
            if worker.ended:
                worker.process.join(timeout=END_SECONDS)

    def _await_ready(self, worker: Worker) -> None:
        with contextlib.suppress(EOFError, OSError):  # died at once: its end is read like any other
            if not worker.ready and worker.connection.poll(IMPORT_SECONDS):
                worker.connection.recv_bytes()
                worker.ready = True

    def _read(self, worker: Worker) -> list[Event]:
        found: list[Event] = []
        try:
            while worker.connection.poll():
                line = worker.connection.recv_bytes()
                if line == b"ready\n":
                    worker.ready = True
                    worker.deadline = time.monotonic() + worker.timeout_seconds  # importing is not the cell's time
                    continue
                event = from_line(line)
                worker.ended = worker.ended or event.type in ("done", "failed")
                found.append(event)
        except (EOFError, OSError):
            found += self._closed(worker)
        return found

    def _closed(self, worker: Worker) -> list[Event]:
        assert worker.run_id is not None
        worker.process.join(timeout=10)
        code = worker.process.exitcode
        worker.connection.close()
        self.workers.pop(worker.run_id, None)
        if worker.ended:
            worker.log.unlink(missing_ok=True)
            return []
        return [_death(worker, code)]

    def _enforce_deadlines(self) -> None:
        now = time.monotonic()
        for worker in self.workers.values():
            if now > worker.deadline and worker.killed_for is None:
                worker.killed_for = "timeout"
                worker.process.kill()


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """A process started meanwhile ignores Ctrl-C from its first moment: what is ignored is inherited."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _death(worker: Worker, code: int | None) -> Failed:
    """Why a worker went without a word."""
    if worker.killed_for == "timeout":
        return Failed(status="timeout", reason=f"longer than its limit of {worker.timeout_seconds:g} s")
    if worker.killed_for is not None:
        return Failed(status="killed", reason=worker.killed_for)
    if code == -signal.SIGKILL and _kernel_oom_kills() > worker.oom_kills:
        return Failed(status="oom", reason="the kernel killed the process: out of memory")
    if code is not None and -code in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        return Failed(status="killed", reason=f"the process was killed by {signal.Signals(-code).name}")
    how = f"code {code}" if code is None or code >= 0 else signal.Signals(-code).name
    return Failed(status="crashed", reason=f"the process ended with {how}: {_last_line(worker.log)}")


def _kernel_oom_kills() -> int:
    """How many processes the kernel has killed for memory since it started; 0 where it does not say."""
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def _last_line(log: Path) -> str:
    try:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        return "no message"
    return lines[-1][:300] if lines else "no message"
