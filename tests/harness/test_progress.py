"""What a runner shows while it runs, where nobody watches a terminal."""

import io

import pytest
from rich.console import Console

from harness import progress
from harness.progress import Display


@pytest.mark.parametrize(("seconds", "said"), [(90.0, "about 1:30 min left"), (None, "time left unknown")])
def test_a_line_says_how_long_it_should_take_or_that_nobody_knows(monkeypatch, seconds, said):
    monkeypatch.setattr(progress, "PLAIN_SECONDS", 0.0)
    console = Console(file=io.StringIO(), width=120)
    with Display(console, lambda plan: seconds) as display:
        display.show([], {})
    assert console.file.getvalue() == f"0:00 min  0 of 0 done, 0 failed, {said}; now: \n"
