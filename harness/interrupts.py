"""Ctrl-C and a polite kill, as a request that a loop reads when it can stop."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Stop:
    """Has anybody asked to stop?"""

    requested = False


@contextmanager
def interruptible() -> Iterator[Stop]:
    """Ctrl-C and a polite kill end the loop after this turn; a second Ctrl-C ends it at once."""
    stop = Stop()

    def request(number: int, frame: Any) -> None:
        if stop.requested:
            raise KeyboardInterrupt
        stop.requested = True

    before = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
