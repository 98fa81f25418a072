"""Rounds: sides take turns, who begins changes, and a failure on one side ends the other. Cells are played."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from harness.events import Done, Failed
from harness.flights import Flights
from harness.gate.rounds import Measured, measure_rounds
from harness.interrupts import Stop
from harness.matrix import load_matrix
from harness.plan import Known
from harness.progress import Display
from harness.records import eval_rows
from harness.session import open_session
from harness.store.database import open_for_writing
from harness.store.writer import Writer
from tests.small_suite import small_suite


class Pair:
    """An executor whose runs end only when ``size`` of them have started; ``failing`` numbers the run that fails."""

    def __init__(self, size: int = 2, failing: int | None = None):
        self.size, self.failing = size, failing
        self.started, self.waiting, self.said = [], [], []

    def start(self, assignment, *, timeout_seconds, exclusive):
        self.started.append(assignment)
        if len(self.started) == self.failing:
            self.said.append((assignment.run_id, Failed(status="crashed", reason="on purpose")))
        else:
            self.waiting.append(assignment)

    def poll(self, seconds):
        if len(self.waiting) >= self.size:  # one whose partner is gone would wait for ever
            self.said += [(a.run_id, Done()) for a in self.waiting]
            self.waiting.clear()
        said, self.said = self.said, []
        return said

    def kill(self, run_id, reason):
        if run_id in [a.run_id for a in self.waiting]:
            self.waiting = [a for a in self.waiting if a.run_id != run_id]
            self.said.append((run_id, Failed(status="killed", reason=reason)))

    def kill_all(self, reason):
        self.waiting.clear()


@pytest.fixture
def sides(tmp_path):
    """Makes one or two sides on an executor."""
    suite = small_suite(tmp_path / "suite")

    def make(executor, count: int = 2) -> list[Measured]:
        found = []
        for letter in "ab"[:count]:
            session = open_session(load_matrix(suite), tmp_path / f"{letter}.db", device="cpu", jobs=1)
            writer = Writer(open_for_writing(tmp_path / f"{letter}.db"))
            writer.add_stack(session.stack_id, session.facts, session.code_digest)
            writer.add_evals(eval_rows(session))
            display = Display(Console(file=io.StringIO()), lambda plan: 1.0)
            cells = [arm.cell(1e-4, 1) for arm in session.arms if arm.label == "full_sft"]
            found.append(Measured(Flights(session, writer, executor, display, Known()), cells))
        return found

    return make


def play(sides, rounds: int, folder: Path, stop: Stop | None = None) -> list[tuple[int, str]]:
    told: list[tuple[int, str]] = []
    measure_rounds(sides, rounds, folder, stop or Stop(), lambda number, arm: told.append((number, arm)))
    return told


def statuses(side: Measured) -> list[str]:
    return [row["status"] for row in side.flights.writer.db.query("SELECT status FROM runs ORDER BY started_at")]


def test_every_cell_is_measured_once_a_round_on_each_side(sides, tmp_path):
    both = sides(Pair())
    assert play(both, 3, tmp_path) == [(n, "full_sft · pocket-0.2m") for n in range(3)]
    assert [statuses(side) for side in both] == [["ok"] * 3] * 2


def test_two_sides_read_each_others_pipes_and_who_begins_changes(sides, tmp_path):
    executor = Pair()
    play(sides(executor), 2, tmp_path)
    turns = [assignment.turns for assignment in executor.started]
    assert [turn.first for turn in turns] == [True, False, False, True]
    assert (turns[0].mine, turns[0].theirs) == (turns[1].theirs, turns[1].mine)


def sources(side: Measured) -> list[str]:
    return [row["source"] for row in side.flights.writer.db.query("SELECT source FROM runs ORDER BY started_at")]


def test_runs_that_took_turns_share_a_source_that_names_trial_and_round(sides, tmp_path):
    both = sides(Pair())
    play(both, 2, tmp_path)
    play(both, 1, tmp_path)
    ours, theirs = map(sources, both)
    assert ours == theirs
    assert len(set(ours)) == 3
    assert all(one.startswith("check:") for one in ours)


def test_one_side_alone_waits_for_nobody(sides, tmp_path):
    executor = Pair(size=1)
    (alone,) = sides(executor, count=1)
    play([alone], 2, tmp_path)
    assert [assignment.turns for assignment in executor.started] == [None, None]
    assert sources(alone) == ["local", "local"]


@pytest.mark.parametrize("failing", [1, 2])
def test_where_one_side_fails_the_other_is_ended_and_the_next_round_goes_on(sides, tmp_path, failing):
    executor = Pair(failing=failing)
    both = sides(executor)
    play(both, 1, tmp_path)
    assert sorted(status for side in both for status in statuses(side)) == ["crashed", "killed"]


def test_a_request_to_stop_ends_what_is_under_way(sides, tmp_path):
    both, stop = sides(Pair(size=3)), Stop()  # a pair of which neither ends by itself
    executor = both[0].flights.executor
    plain = executor.poll

    def asked(seconds):
        stop.requested = True
        return plain(seconds)

    executor.poll = asked
    play(both, 5, tmp_path, stop)
    assert [statuses(side) for side in both] == [["killed"]] * 2
