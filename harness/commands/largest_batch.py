"""`tunematrix largest-batch`: the largest batch of each arm that fits, found by measuring."""

import json

from rich.console import Console

from harness.arms import Arm, named
from harness.commands.console import console_for_people
from harness.commands.foretold import limit_lines
from harness.commands.opening import open_to_run
from harness.commands.uncollected import uncollected
from harness.errors import UserError
from harness.largest_batch.searcher import Ending, Search, Searcher
from harness.limits import MemoryLimit
from harness.progress import Display, clock
from harness.request import Request
from harness.session import Session
from harness.stack import device_memory_bytes, pick_device
from harness.store.database import open_for_reading, open_for_writing
from harness.units import parse_size
from harness.workdir import Workdir


def find_largest(request: Request, *, most: int, seconds: float, retry_failed: bool, as_json_: bool) -> int:
    """Search, then print the table or one JSON object. Returns the exit code: 0, 1 where a batch failed for another
    reason than memory, 130 interrupted."""
    whole = _whole_device(request)
    with Workdir.beside(request.db).undone_if_refused():
        session, _ = open_to_run(request)
        arms = _searched(session, request.only)
    searches = [Search.of(arm, session.device, session.limit or whole, most) for arm in arms]
    console = Console(stderr=True) if as_json_ else console_for_people()
    ending = _run(session, searches, request, console, seconds, retry_failed)
    _show(session, searches, request, console, most, as_json_)
    if ending == "interrupted":
        console.print("interrupted: the same command goes on from here")
        return 130
    if ending == "out of time":
        console.print(f"{seconds:g} seconds are over: the same command goes on from here", highlight=False)
        return 0
    return 1 if any(search.tried and search.ended for search in searches) else 0


def _whole_device(request: Request) -> MemoryLimit:
    """Without a limit: what a prediction is to fit into. Raises UserError where that is unknown."""
    device = pick_device(request.device)
    if device == "cpu" and request.vram is None:
        raise UserError(
            "on a CPU say what is to fit, as in --vram 800MB: a process is given memory there until the machine has no "
            "more, and nothing tells where that is"
        )
    return MemoryLimit(device_memory_bytes(device), parse_size("--overhead", request.assumed_overhead))


def _searched(session: Session, only: str | None) -> list[Arm]:
    arms = [arm for arm in named(session.arms, only) if arm.trains]
    if not arms:
        raise UserError(f"{session.matrix.source}: nothing is trained in it, so that no batch could be too large")
    return arms


def _run(
    session: Session, searches: list[Search], request: Request, console: Console, seconds: float, retry_failed: bool
) -> Ending:
    from harness.executors.local import LocalExecutor
    from harness.store.writer import Writer

    with LocalExecutor(session.device, session.workdir.logs) as executor, session.workdir.lock():
        executor.warm(None, [], session.tokenizers())
        for line in limit_lines(session):
            console.print(line, style="yellow", highlight=False, markup=False)
        writer = Writer(open_for_writing(request.db))
        with Display(console, lambda plan: None) as display:
            searcher = Searcher(session, session.known(request.db), writer, executor, display, retry_failed)
            ending = searcher.run(searches, seconds)
    console.print(
        f"{searcher.finished} runs in {clock(display.elapsed)}; results in {request.db}", highlight=False, markup=False
    )
    return ending


@uncollected()
def _show(
    session: Session, searches: list[Search], request: Request, console: Console, most: int, as_json_: bool
) -> None:
    from harness.commands.largest_answer import answer_of, print_answer

    answer = answer_of(session, searches, open_for_reading(request.db))
    if as_json_:
        print(json.dumps(answer.as_json(most), indent=1, allow_nan=False))
    else:
        print_answer(answer, console, most)
