"""Two sides step in turn, whoever is ready first."""

import threading
import time

import pytest

from harness.turns import TurnTaker, make_pipes


@pytest.mark.parametrize("late", ["a", "b", None])
def test_steps_alternate_and_the_first_side_begins(tmp_path, late):
    pipes, said = make_pipes(tmp_path), []

    def side(name: str, taker: TurnTaker) -> None:
        if name == late:
            time.sleep(0.2)
        taker.begin()
        for step in range(1, 5):
            said.append(f"{name}{step}")
            taker.end_step(last=step == 4)

    sides = [
        threading.Thread(target=side, args=("a", TurnTaker(pipes[0], pipes[1], first=True))),
        threading.Thread(target=side, args=("b", TurnTaker(pipes[1], pipes[0], first=False))),
    ]
    for thread in sides:
        thread.start()
    for thread in sides:
        thread.join(timeout=10)
    assert said == ["a1", "b1", "a2", "b2", "a3", "b3", "a4", "b4"]


def test_pipes_of_an_earlier_round_are_replaced(tmp_path):
    first = TurnTaker(*make_pipes(tmp_path), first=True)
    first.end_step(last=True)  # a byte that nobody took
    mine, theirs = make_pipes(tmp_path)
    said = []
    waiting = threading.Thread(
        target=lambda: (TurnTaker(theirs, mine, first=False).begin(), said.append("b")), daemon=True
    )
    waiting.start()
    waiting.join(timeout=0.2)
    assert said == []
