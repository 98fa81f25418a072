"""What a runner shows while it runs: live lines on a terminal, a plain line now and then elsewhere."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harness.events import Progress
from harness.plan import Outcome, Planned, State

PLAIN_SECONDS = 10.0
LIVE_SECONDS = 0.25


class Display:
    """Shows cells done, running and failed, loss and speed of those that run, and the time left."""

    def __init__(self, console: Console, estimate: Callable[[list[Planned]], float | None]) -> None:
        self.console, self.estimate = console, estimate
        self.began = self._shown = time.monotonic()
        self._expected: float | None = None
        self._counted = -1
        self._progress: dict[str, Progress] = {}
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def __enter__(self) -> "Display":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    @property
    def elapsed(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self.began

    def progress(self, run_id: str, event: Progress) -> None:
        """A step was taken."""
        self._progress[run_id] = event

    def finished(self, flight: Any, outcome: Outcome) -> None:
        """A run ended; what failed, or was left out, is said at once."""
        self._progress.pop(flight.run_id, None)
        if not outcome.ok or outcome.reason:
            colour, name = "yellow" if outcome.ok else "red", escape(flight.cell.arm.name)
            said = f"[{colour}]{outcome.status}[/] {name}: {escape(outcome.reason or '')}"
            self.console.print(said, highlight=False)

    def show(self, plan: list[Planned], flights: dict[str, Any]) -> None:
        """The state of things, if it is time to say it."""
        now = time.monotonic()
        if now - self._shown < (LIVE_SECONDS if self._live else PLAIN_SECONDS):
            return
        self._shown = now
        states = Counter(line.state for line in plan)
        done = states["done"]
        if done != self._counted:
            seconds = self.estimate(plan)
            self._counted, self._expected = done, None if seconds is None else now + seconds
        left = "time left unknown" if self._expected is None else f"about {clock(max(0.0, self._expected - now))} left"
        if self._live:
            self._live.update(self._picture(states, len(plan), left, flights), refresh=True)
        else:
            self.console.print(self._line(states, len(plan), left, flights), highlight=False, markup=False)

    def _line(self, states: Counter[State], total: int, left: str, flights: dict[str, Any]) -> str:
        failed = states["failed"] + states["blocked"] + states["refused"]
        running = ", ".join(f.cell.arm.name for f in flights.values())
        return f"{clock(self.elapsed)}  {states['done']} of {total} done, {failed} failed, {left}; now: {running}"

    def _picture(self, states: Counter[State], total: int, left: str, flights: dict[str, Any]) -> Group:
        failed = states["failed"] + states["blocked"] + states["refused"]
        head = Table.grid(padding=(0, 2))
        counts = f"{states['done']} of {total} done, {failed} failed"
        said = f"{counts} · {clock(self.elapsed)} · {left}"
        room = self.console.width - len(said) - 4
        bar = ProgressBar(total=max(1, total), completed=states["done"] + failed, width=max(4, min(40, room)))
        head.add_row(bar, Text(said, no_wrap=True))
        body = Table.grid(padding=(0, 2))
        rows = [self._flight(flight) for flight in flights.values()]
        for column in range(max(map(len, rows), default=0)):  # the name alone gives way where the terminal is narrow
            width = max(row[column].cell_len for row in rows) if column else None
            body.add_column(no_wrap=True, overflow="ellipsis", min_width=width)
        for row in rows:
            body.add_row(*row)
        return Group(head, body)

    def _flight(self, flight: Any) -> tuple[Text, ...]:
        event = self._progress.get(flight.run_id)
        rate, seed = flight.cell.learning_rate, flight.cell.seed
        what = flight.purpose if flight.purpose == "measure" else f"rate {rate:g} seed {seed}" if rate else ""
        if event is None:
            return Text(f"  {flight.cell.arm.name}"), Text(what), Text("loading or scoring", style="dim"), Text("")
        loss = f"loss {event.loss:.3f}" if event.loss is not None else ""
        speed = f"{event.tokens_per_second:,.0f} tokens/s" if event.tokens_per_second else ""
        step = f"step {event.step}/{event.steps}  {loss}"
        return Text(f"  {flight.cell.arm.name}"), Text(what), Text(step), Text(speed)


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds, or hours and minutes."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60}:{whole % 60:02d} min"
