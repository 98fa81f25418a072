"""Searches that run probes by the ordinary runner: what is run, what is not again, and what ends them.

A stand-in plays the device: a cell of a larger batch than ``capacity`` ends as out of memory.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from harness.events import Event, Failed
from harness.largest_batch.searcher import Search, Searcher
from harness.limits import MemoryLimit
from harness.matrix import load_matrix
from harness.needs import need_at_most
from harness.progress import Display
from harness.session import Session, open_session
from harness.store.database import open_for_reading, open_for_writing
from harness.store.writer import Writer
from tests.harness.test_runner import Actors, keeps_what_it_is_told_to
from tests.small_suite import small_suite

MOST = 64
OOM = Failed(status="oom", reason="needs more than 24 GB: OutOfMemoryError", phase="train")


@dataclass
class Device:
    """Has room for ``capacity`` examples in runs of ``purposes``; ``crashes`` at one batch."""

    capacity: int
    purposes: tuple[str, ...] = ("quality", "measure")
    crashes: int | None = None

    def __call__(self, assignment) -> list[Event]:
        batch = assignment.stages[-1].stage["batch_size"]
        if batch == self.crashes:
            return [Failed(status="crashed", reason="no such kernel", phase="train")]
        if batch > self.capacity and assignment.purpose in self.purposes:
            return [OOM]
        return list(keeps_what_it_is_told_to(assignment))


class World:
    """The small suite at batch 2, and a results file."""

    def __init__(self, folder: Path, *overrides: str) -> None:
        self.db = folder / "t.db"
        file = folder / "suite" / "matrix.yaml"
        file = file if file.exists() else small_suite(folder / "suite")
        matrix = load_matrix(file, ("batch_size=2", "budget.steps=1", *overrides))
        self.session: Session = open_session(matrix, self.db, device="cpu", jobs=2)

    def search(self, label: str = "full_sft", predicted: int | None = None, most: int = MOST) -> Search:
        return Search(next(arm for arm in self.session.arms if arm.label == label), most, predicted)

    def run(self, *searches: Search, device: Device, seconds: float = 1e9, retry: bool = False) -> tuple[str, Actors]:
        actors, db = Actors(device), open_for_writing(self.db)
        with Display(Console(file=io.StringIO()), lambda plan: None) as display:
            known = self.session.known(self.db)
            searcher = Searcher(self.session, known, Writer(db), actors, display, retry)  # type: ignore[arg-type]
            ending = searcher.run(list(searches), seconds)
        db.conn.close()
        return ending, actors

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return [tuple(row.values()) for row in open_for_reading(self.db).query(sql)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def batches(actors: Actors) -> list[tuple[int, str]]:
    return [(one.stages[-1].stage["batch_size"], one.purpose) for one in actors.started]


def test_the_largest_is_found_and_every_batch_that_was_tried_is_a_run(world: World) -> None:
    search = world.search()

    ending, _ = world.run(search, device=Device(13))

    assert (ending, search.is_found, search.largest, search.too_large) == ("done", True, 13, 14)
    assert list(search.tried) == [2, 4, 8, 16, 12, 14, 13]
    by_batch = "json_extract(recipe, '$.stages[#-1].batch_size')"
    measured = f"SELECT {by_batch} FROM runs JOIN cells USING (cell_id) WHERE purpose = 'measure' AND status = 'ok'"
    assert world.rows(f"{measured} ORDER BY 1") == [(2,), (4,), (8,), (12,), (13,)]
    failed = f"SELECT {by_batch}, status, failed_phase FROM runs JOIN cells USING (cell_id) WHERE status != 'ok'"
    assert world.rows(f"{failed} ORDER BY 1") == [(14, "oom", "train"), (16, "oom", "train")]


def test_the_matrixs_own_batch_is_tried_first_and_then_what_is_predicted(world: World) -> None:
    search = world.search(predicted=13)

    world.run(search, device=Device(13))

    assert (list(search.tried), search.off_by) == ([2, 13, 14], 0)


@pytest.mark.parametrize(("predicted", "off"), [(9, -4), (20, 7), (64, 51)])
def test_it_is_told_by_how_much_a_prediction_was_off(world: World, predicted: int, off: int) -> None:
    search = world.search(predicted=predicted)

    world.run(search, device=Device(13))

    assert (search.largest, search.off_by) == (13, off)


def test_within_what_is_told_apart_a_prediction_is_not_off(world: World) -> None:
    search = world.search(predicted=42)

    world.run(search, device=Device(44))

    assert (search.largest, search.too_large, search.off_by) == (42, 47, 0)


def test_a_batch_is_measured_only_where_its_own_run_went_well(world: World) -> None:
    _, actors = world.run(world.search(predicted=3), device=Device(3))

    assert batches(actors) == [(2, "quality"), (2, "measure"), (3, "quality"), (3, "measure"), (4, "quality")]


def test_memory_may_end_in_the_measurement_alone_as_on_a_cpu(world: World) -> None:
    search = world.search(predicted=3)

    world.run(search, device=Device(3, purposes=("measure",)))

    assert (search.largest, search.too_large) == (3, 4)


def test_nothing_that_is_in_the_file_is_run_again(world: World) -> None:
    world.run(world.search(predicted=9), device=Device(13))
    again = world.search(predicted=9)

    ending, actors = world.run(again, device=Device(0))

    assert (ending, actors.started, again.largest, again.is_found) == ("done", [], 13, True)


def test_what_a_matrix_with_that_batch_has_run_is_not_run_again(world: World, tmp_path: Path) -> None:
    wider = World(tmp_path, "batch_size=4")
    wider.run(wider.search(most=4), device=Device(13))

    _, actors = world.run(world.search(), device=Device(13))

    assert {batch for batch, _ in batches(actors)} == {2, 8, 16, 12, 14, 13}
    assert world.rows("SELECT count(*) FROM cells WHERE label = 'full_sft'") == [(2,)]


def test_an_arm_that_has_no_room_at_all_has_none(world: World) -> None:
    search = world.search()

    world.run(search, device=Device(0))

    assert (list(search.tried), search.largest, search.too_large, search.is_found) == ([2, 1], 0, 1, True)


def test_where_everything_fits_nothing_is_too_large(world: World) -> None:
    search = world.search(most=9)

    world.run(search, device=Device(100))

    assert (list(search.tried), search.too_large, search.is_found) == ([2, 4, 8, 9], None, True)


def test_another_failure_than_memorys_ends_it_and_says_so(world: World) -> None:
    search = world.search()

    world.run(search, device=Device(100, crashes=8))

    assert (search.is_found, search.largest, search.too_large) == (False, 4, None)
    assert search.ended == "batch 8 ended as crashed: no such kernel"


def test_such_a_batch_is_tried_again_on_demand(world: World) -> None:
    world.run(world.search(), device=Device(13, crashes=8))
    stubborn, mended = world.search(), world.search()

    _, actors = world.run(stubborn, device=Device(13))
    world.run(mended, device=Device(13), retry=True)

    assert (actors.started, stubborn.is_found) == ([], False)
    assert (mended.largest, mended.is_found) == (13, True)


def test_out_of_time_it_stops_and_goes_on_later(world: World) -> None:
    search = world.search(predicted=13)

    ending, actors = world.run(search, device=Device(13), seconds=0)

    assert (ending, actors.started, search.is_found) == ("out of time", [], False)
    assert world.run(search, device=Device(13))[0] == "done"
    assert search.largest == 13


def test_pairs_are_searched_after_what_they_start_from_which_keeps_its_batch(world: World) -> None:
    search = world.search("dpo", predicted=3)

    _, actors = world.run(search, device=Device(3))

    assert search.largest == 3
    assert {one.stages[0].stage["batch_size"] for one in actors.started} == {2}


def test_where_what_they_start_from_has_no_room_it_ends(world: World) -> None:
    search = world.search("dpo")

    world.run(search, device=Device(1))

    assert search.ended is not None and search.ended.startswith("batch 2 ended as blocked: ")
    assert world.rows("SELECT count(*) FROM runs WHERE status = 'blocked'") == [(1,)]


def test_the_guess_is_what_is_predicted_to_fit_the_limit(world: World) -> None:
    arm = world.search().arm
    room = MemoryLimit(need_at_most(arm, "cpu").peak_bytes)

    assert Search.of(arm, "cpu", room, MOST).predicted == 2


def test_what_cannot_be_searched_says_why_and_runs_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, "micro_batch_size=1")
    search = Search.of(world.search().arm, "cpu", MemoryLimit(10**9), MOST)

    ending, actors = world.run(search, device=Device(9))

    assert (ending, actors.started, search.is_found) == ("done", [], False)
    assert search.ended == "its batch is computed 1 at a time, so that a larger one needs no more memory"
