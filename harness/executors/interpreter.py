"""Run cells in another Python interpreter, with that one's libraries: a server there, JSON lines to and fro."""

import json
import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import IO, Any

from harness.assignment import Assignment
from harness.errors import UserError
from harness.events import Done, Event, Failed, from_line, to_line
from tunematrix.version import __version__

SERVER = "harness.executors.serve"
FROM_HERE = b"\ntunematrix says:\n"  # whatever an interpreter or a library printed before is no word of ours


def stack_of(python: str, device: str) -> tuple[dict[str, Any], str]:
    """The stack's facts and the code's digest, as the interpreter ``python`` sees them on ``device``.

    Raises UserError where it is no Python with tunematrix, or with another version of it.
    """
    done = subprocess.run(_command(python, "--describe", device), capture_output=True, check=False)
    _, _, words = done.stdout.partition(FROM_HERE)
    if done.returncode or not words:
        told = done.stderr.decode(errors="replace").strip().splitlines()
        raise UserError(
            f"python={python}: must be a Python in which tunematrix {__version__} is installed: "
            f"{told[-1] if told else 'it says nothing'}"
        )
    said = json.loads(words)
    if said["version"] != __version__:
        raise UserError(f"python={python}: has tunematrix {said['version']}, this is {__version__}; install the same")
    return said["facts"], said["code_digest"]


class InterpreterExecutor:
    """A ``LocalExecutor`` in the interpreter ``python``."""

    def __init__(self, python: str, device: str, logs: Path) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.log = (logs / "interpreter.log").open("wb")
        self.process = subprocess.Popen(
            _command(python, device, str(logs)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log
        )
        self.running: set[str] = set()
        self._heard, self._rest = False, b""
        self._selector = DefaultSelector()
        self._selector.register(self._from_server, EVENT_READ)

    def __enter__(self) -> "InterpreterExecutor":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._to_server.close()  # it ends when it has nobody to listen to
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()

    def warm(self, tasks_folder: Path | None, tasks: list[str], tokenizers: list[tuple[str, str | None]]) -> None:
        """See ``LocalExecutor.warm``."""
        folder = str(tasks_folder) if tasks_folder else None
        self._say({"do": "warm", "tasks_folder": folder, "tasks": tasks, "tokenizers": tokenizers})

    def start(self, assignment: Assignment, *, timeout_seconds: float, exclusive: bool) -> None:
        """See ``LocalExecutor.start``."""
        self.running.add(assignment.run_id)
        limits = {"timeout_seconds": timeout_seconds, "exclusive": exclusive}
        self._say({"do": "start", "assignment": assignment.model_dump(mode="json"), **limits})

    def poll(self, seconds: float) -> list[tuple[str, Event]]:
        """See ``LocalExecutor.poll``. Where the server has gone, so have all of its runs."""
        if not self._selector.select(seconds):
            return []
        read = os.read(self._from_server.fileno(), 1 << 16)
        if not read:
            return self._lost()
        self._rest += read
        if not self._heard:
            _, heard, rest = self._rest.partition(FROM_HERE)
            self._heard, self._rest = bool(heard), rest if heard else self._rest
        if not self._heard:
            return []
        *lines, self._rest = self._rest.split(b"\n")
        return [self._event(line) for line in lines]

    def _event(self, line: bytes) -> tuple[str, Event]:
        run_id, _, said = line.partition(b" ")
        event: Event = from_line(said)
        if isinstance(event, Done | Failed):
            self.running.discard(run_id.decode())
        return run_id.decode(), event

    def kill(self, run_id: str, reason: str) -> None:
        """See ``LocalExecutor.kill``."""
        self._say({"do": "kill", "run_id": run_id, "reason": reason})

    def kill_all(self, reason: str) -> None:
        """See ``LocalExecutor.kill_all``."""
        for run_id in self.running:
            self.kill(run_id, reason)
        self.running.clear()

    @property
    def _to_server(self) -> IO[bytes]:
        assert self.process.stdin is not None
        return self.process.stdin

    @property
    def _from_server(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout

    def _say(self, what: dict[str, Any]) -> None:
        with suppress(BrokenPipeError):  # that it has gone is read like any other end
            self._to_server.write(json.dumps(what).encode() + b"\n")
            self._to_server.flush()

    def _lost(self) -> list[tuple[str, Event]]:
        lines = [line for line in Path(self.log.name).read_text(errors="replace").splitlines() if line.strip()]
        reason = f"the interpreter ended: {lines[-1][:300] if lines else 'no message'}"
        lost, self.running = self.running, set()
        if not lost:
            time.sleep(0.05)  # nobody waits in a circle
        return [(run_id, Failed(status="crashed", reason=reason)) for run_id in sorted(lost)]


def event_line(run_id: str, event: Event) -> bytes:
    """What the server says of a run."""
    return run_id.encode() + b" " + to_line(event)


def _command(python: str, *words: str) -> list[str]:
    return [python, "-P", "-m", SERVER, *words]  # -P: what lies in the current folder is not imported
