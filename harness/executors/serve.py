"""The other end of ``harness.executors.interpreter``: `python -m harness.executors.serve DEVICE LOGS`.

Reads commands from standard input, a JSON object a line, and writes each run's events to standard output. It ends, and
its runs with it, when the input does. With `--describe DEVICE` it says what stack this interpreter makes.
"""

import json
import os
import selectors
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness import stack
from harness.assignment import Assignment
from harness.executors.interpreter import FROM_HERE, event_line
from harness.executors.local import LocalExecutor
from tunematrix.version import __version__


def main(words: list[str]) -> None:
    """Entry point: ``words`` are the command line's, as the module says."""
    out = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no event
    os.write(out, FROM_HERE)
    if words[0] == "--describe":
        facts, digest = stack.stack_facts(words[1]), stack.code_digest()
        os.write(out, json.dumps({"version": __version__, "facts": facts, "code_digest": digest}).encode())
        return
    device, logs = words
    with LocalExecutor(device, Path(logs)) as executor:
        for command in _commands():
            if command is not None:
                _obey(executor, command)
            for run_id, event in executor.poll(0.05):
                os.write(out, event_line(run_id, event))


def _obey(executor: LocalExecutor, command: dict[str, Any]) -> None:
    match command.pop("do"):
        case "warm":
            folder = Path(command["tasks_folder"]) if command["tasks_folder"] else None
            tokenizers = [(name, pad) for name, pad in command["tokenizers"]]
            executor.warm(folder, command["tasks"], tokenizers)
        case "start":
            executor.start(Assignment.model_validate(command.pop("assignment")), **command)
        case "kill":
            executor.kill(**command)


def _commands() -> Iterator[dict[str, Any] | None]:
    """Each command as it comes; None where none has."""
    selector, rest = selectors.DefaultSelector(), b""
    selector.register(0, selectors.EVENT_READ)
    while True:
        if not selector.select(0):
            yield None
            continue
        read = os.read(0, 1 << 16)
        if not read:
            return
        *lines, rest = (rest + read).split(b"\n")
        yield from map(json.loads, lines)


if __name__ == "__main__":
    main(sys.argv[1:])
