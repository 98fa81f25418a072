"""The process that a cell runs in: it waits for its assignment, runs it, says what happens, and ends.

It dies with its runner: on Linux the kernel kills it when its parent goes, so no worker is ever left behind.
"""

import ctypes
import os
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def work(connection: Connection, log: str) -> None:
    """Entry point of a worker process. ``connection`` gives one assignment and takes the events; ``log`` is a file
    for what libraries print."""
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the runner's to handle
    _redirect(Path(log))
    import harness.executors.preload  # noqa: F401

    connection.send_bytes(b"ready\n")
    try:
        assignment_json = connection.recv_bytes()
    except EOFError:
        return
    from harness.assignment import Assignment
    from harness.cell import run_cell
    from harness.events import to_line

    assignment = Assignment.model_validate_json(assignment_json)
    _use_threads(assignment.execution["threads"], assignment.device)
    run_cell(assignment, lambda event: connection.send_bytes(to_line(event)))
    connection.close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # nothing is left to clean up; library teardown costs a second


def _die_with_parent() -> None:
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it went before the request was in place
            os._exit(1)


def _redirect(log: Path) -> None:
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(handle, stream)
    os.close(handle)


def _use_threads(threads: int, device: str) -> None:
    import torch

    if device == "cpu":
        torch.set_num_threads(threads)
    else:
        torch.cuda.set_device(device)
