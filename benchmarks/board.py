"""`make bench-board`: the board over 100,000 runs: first page, filters and sorts, memory; and over 1,000.

A results file is made (``tests.many``: suites on stacks, about 850 runs each). Then, against its bounds:

- *first page*: from asking a server that has just started and read nothing to the picture and the table in a Chromium
  that has seen no board before; beside it, with no bound, the same of an app of Streamlit's that is one small picture
  and one small table, asked a second time, and of the board in a Chromium that has been there before;
- *at the server*: how long the script of a page runs (Streamlit's own test runner, in a process of its own) when
  somebody filters or sorts; and when somebody turns to other results, which is a first page once more: the median
  and the slowest;
- *memory*: resident, of the server after a visitor has opened every page and of the test runner.

Exits with 1 where a bound is missed. Without Chromium the first page and the server's memory are not measured, which
is a miss.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from rich import box
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
BARE = Path(__file__).with_name("bare_app.py")
SUITES, STACKS = 6, 20
FIRST_PAGE, ANSWER, GIGABYTES = 2.0, 0.3, 1.0


@dataclass(frozen=True)
class Figure:
    """One measured figure against its bound."""

    what: str
    value: float | None
    bound: float | None
    unit: str

    @property
    def met(self) -> bool:
        """What was not measured meets nothing; what has no bound is there to compare with."""
        return self.bound is None or (self.value is not None and self.value <= self.bound)


def main() -> None:
    """Make the files, measure, print, and write bench-board.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suites", type=int, default=SUITES)
    parser.add_argument("--stacks", type=int, default=STACKS)
    parser.add_argument("--out", type=Path, default=Path("bench-board.json"))
    options = parser.parse_args()
    console = Console(width=120)
    with tempfile.TemporaryDirectory(prefix="tunematrix-board-") as folder:
        figures = [Figure("Streamlit alone: one picture, one table", _bare(Path(folder)), None, "s")]
        for suites, stacks in ((1, 1), (options.suites, options.stacks)):
            figures += _measured(Path(folder), suites, stacks, console)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for column in ("what", "measured", "bound", "met"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for one in figures:
        shown = "not measured" if one.value is None else f"{one.value:.2f} {one.unit}"
        met = "" if one.bound is None else "yes" if one.met else "no"
        table.add_row(one.what, shown, "" if one.bound is None else f"{one.bound:g} {one.unit}", met)
    console.print(table)
    options.out.write_text(json.dumps([{**vars(one), "met": one.met} for one in figures], indent=1) + "\n")
    sys.exit(0 if all(one.met for one in figures) else 1)


def _measured(folder: Path, suites: int, stacks: int, console: Console) -> list[Figure]:
    from tests.many import make_many

    begun = time.perf_counter()
    db = make_many(folder / f"{suites}x{stacks}.db", suites, stacks)
    runs = _count(db)
    seconds, size = time.perf_counter() - begun, db.stat().st_size / 1e6
    console.print(f"{runs:,} runs, {size:.0f} MB, made in {seconds:.0f} s", highlight=False)
    name = f"{runs:,} runs: "
    first, again, resident = _in_a_browser(db, folder)
    answers, runner = _at_the_server(db)
    figures = [
        Figure(f"{name}first page", first, FIRST_PAGE, "s"),
        Figure(f"{name}first page, been there before", again, None, "s"),
        Figure(f"{name}server", resident, GIGABYTES, "GB"),
    ]
    for what, times in answers.items():
        bound = FIRST_PAGE if what == "other results" else ANSWER
        figures.append(Figure(f"{name}{what}, median of {len(times)}", median(times), bound, "s"))
        figures.append(Figure(f"{name}{what}, slowest", max(times), bound, "s"))
    return [*figures, Figure(f"{name}test runner", runner, GIGABYTES, "GB")]


def _count(db: Path) -> int:
    from harness.store.database import open_for_reading

    opened = open_for_reading(db)
    found: int = opened.execute("SELECT count(*) FROM runs").fetchone()[0]
    opened.conn.close()
    return found


@contextmanager
def _chromium() -> Iterator[Any]:
    """A Chromium, started; None where there is none."""
    from tests.browser.conftest import FLAGS

    path = shutil.which("chromium")
    if path is None:
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=list(FLAGS))


def _seconds(page: Any, address: str) -> float:
    """Until a page of the board's, or the bare app's, shows its picture and its table."""
    begun = time.perf_counter()
    page.goto(address)
    page.wait_for_selector("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg")
    page.wait_for_selector("[data-testid=stDataFrame] canvas")
    return time.perf_counter() - begun


def _bare(folder: Path) -> float | None:
    from tests.browser.conftest import Visitor, free_port, new_browser, started

    port = free_port()
    options = ("server.headless=true", "server.fileWatcherType=none", "browser.gatherUsageStats=false")
    words = [sys.executable, "-m", "streamlit", "run", str(BARE), f"--server.port={port}", *(f"--{o}" for o in options)]
    with _chromium() as browser, started(words, port, folder) as address:
        if browser is None:
            return None
        _seconds(Visitor(new_browser(browser), address).page, address)  # the server imports what it needs
        return _seconds(Visitor(new_browser(browser), address).page, address)


def _in_a_browser(db: Path, folder: Path) -> tuple[float | None, float | None, float | None]:
    """Seconds to the first page, the same in a browser that has been there, and GB of the server after every page was
    opened; None where there is no Chromium."""
    from leaderboard.pages import PAGES
    from tests.browser.conftest import Visitor, new_browser, served

    with _chromium() as browser, served(db, folder=folder) as address:
        if browser is None:
            return None, None, None
        visitor = Visitor(new_browser(browser), address)
        seconds, again = (_seconds(visitor.page, address) for _ in range(2))
        for group in PAGES.values():
            for name, _, _ in group:
                visitor.go(name)
        resident = _resident(address.rpartition(":")[2])
    return seconds, again, resident


def _resident(port: str) -> float:
    """GB of the process that serves a port."""
    own = psutil.Process().children(recursive=True)
    servers = [one for one in own if any(f"server.port={port}" in word for word in one.cmdline())]
    return sum(one.memory_info().rss for one in servers) / 1e9


def _at_the_server(db: Path) -> tuple[dict[str, list[float]], float]:
    """Seconds of each answer by kind, and GB of the process that gave them."""
    words = [sys.executable, "-m", "benchmarks.board_answers", str(db)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found = json.loads(done.stdout.splitlines()[-1])
    return found["answers"], found["gigabytes"]


if __name__ == "__main__":
    main()
