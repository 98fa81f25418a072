"""The runner: what is handed out, in which order, what is written down, and what happens when things go wrong.

Cells are played by a stand-in executor here, so that every ending can be had at once; real workers are tested in
``test_life.py``.
"""

import io
import signal
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from harness.artifacts import folder_digest
from harness.errors import UserError
from harness.events import Artifact, Batches, Done, Failed, Phase, PhaseStarted, Progress, Score, Step, Trained
from harness.matrix import load_matrix
from harness.needs import need_for
from harness.predict.recipe import Batch
from harness.predict.version import model_version
from harness.progress import Display
from harness.runner import Runner, Summary
from harness.session import Session, open_session
from harness.store.database import open_for_writing
from harness.store.writer import Writer
from harness.workdir import Workdir
from tests.small_suite import small_suite

VALIDATION = {1e-4: 0.1, 3e-4: 0.9, 1e-3: 0.5}


class Actors:
    """Stands in for an executor: each cell plays the part that ``script`` gives it, one poll after it started."""

    def __init__(self, script=None):
        self.script = script or (lambda assignment: None)
        self.started, self.waiting, self.beside = [], [], []
        self.on_start = lambda: None

    def start(self, assignment, *, timeout_seconds, exclusive):
        self.started.append(assignment)
        self.beside.append((assignment.purpose, len(self.waiting)))
        self.waiting.append(assignment)
        self.on_start()

    def poll(self, seconds):
        if not self.waiting:
            return []
        assignment = self.waiting.pop(0)
        return [(assignment.run_id, event) for event in self.script(assignment) or plays_well(assignment)]

    def kill_all(self, reason):
        self.waiting.clear()


def plays_well(assignment):
    stage = assignment.stages[-1]
    rate = stage.stage.get("learning_rate")
    yield PhaseStarted(stage_id=stage.stage_id, phase="train")
    if rate is not None:
        yield Progress(stage_id=stage.stage_id, step=1, steps=2, loss=1.0, tokens_per_second=10.0)
        step = Step(step=1, loss=1.0, gradient_norm=1.0, tokens_seen=5, seconds=0.1)
        yield Trained(stage_id=stage.stage_id, reused=False, steps=[step], real_tokens=5)
        yield Phase(stage_id=stage.stage_id, phase="train", wall_seconds=1.0)
        if assignment.purpose == "quality":
            folder = Path(stage.artifact_out)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "weights").write_text(stage.stage_id)
            sha256, size = folder_digest(folder)
            yield Artifact(stage_id=stage.stage_id, path=folder.name, sha256=sha256, size_bytes=size)
    if assignment.purpose == "quality":
        for eval_ in assignment.evals:
            value = VALIDATION.get(rate, 0.3)
            moment = "tuned" if rate is not None else "base"
            yield Score(moment=moment, eval_id=eval_.eval_id, metric=eval_.metric, value=value, n_items=3,
                        higher_is_better=eval_.higher_is_better)  # fmt: skip
    yield Done()


@pytest.fixture
def session(tmp_path) -> Session:
    return open_session(load_matrix(small_suite(tmp_path / "suite")), tmp_path / "t.db", device="cpu", jobs=2)


def play(session, actors=None, **options) -> tuple[Summary, Actors]:
    actors = actors or Actors()
    db = open_for_writing(session.workdir.root.parent / "t.db")
    with Display(Console(file=io.StringIO()), lambda plan: 1.0) as display:
        summary = Runner(session, Writer(db), actors, display).run(**options)
    db.conn.close()
    return summary, actors


def query(session, sql):
    db = open_for_writing(session.workdir.root.parent / "t.db")
    found = [tuple(row.values()) for row in db.query(sql)]
    db.conn.close()
    return found


class TestTheWholeMatrix:
    def test_every_cell_runs_once_and_ends_well(self, session):
        summary, actors = play(session)
        # 1 base; full SFT: 3 rates at one seed and 2 at two more; DPO at three seeds; 2 measure runs.
        assert Counter(a.purpose for a in actors.started) == {"quality": 11, "measure": 2}
        assert summary.failed == []
        assert query(session, "SELECT status, count(*) FROM runs GROUP BY 1") == [("ok", 13)]

    def test_measure_runs_come_last_and_alone(self, session):
        _, actors = play(session)
        assert [purpose for purpose, _ in actors.beside][-2:] == ["measure", "measure"]
        assert all(others == 0 for purpose, others in actors.beside if purpose == "measure")

    def test_the_chosen_rate_is_the_best_on_validation(self, session):
        play(session)
        chosen = query(session, "SELECT label, chosen_rate, seeds FROM arms WHERE method != 'base' ORDER BY label")
        assert chosen == [("dpo", 1e-4, 3), ("full_sft", 3e-4, 3)]

    def test_preference_cells_start_from_the_kept_sft_stage_of_the_same_seed(self, session):
        _, actors = play(session)
        pairs = [a for a in actors.started if len(a.stages) == 2]
        assert all(a.stages[0].artifact is not None for a in pairs)
        assert all(a.stages[0].stage["seed"] == a.stages[1].stage["seed"] for a in pairs)
        assert all(a.stages[0].stage["learning_rate"] == 3e-4 for a in pairs)

    def test_a_tuned_run_points_at_the_untrained_row(self, session):
        play(session)
        assert query(session, "SELECT count(*) FROM runs WHERE purpose = 'quality' AND base_run_id IS NULL") == [(1,)]

    def test_a_second_run_does_nothing(self, session):
        play(session)
        summary, actors = play(session)
        assert (summary.finished, actors.started) == (0, [])

    def test_no_scratch_is_left(self, session):
        play(session)
        assert not any(session.workdir.scratch.glob("*"))


class TestFailures:
    def test_a_failed_cell_is_a_row_with_its_reason_and_the_rest_goes_on(self, session):
        def script(assignment):
            if assignment.stages[-1].stage.get("learning_rate") == 1e-3:
                return [Failed(status="nan", reason="loss is nan at step 3", phase="train")]

        summary, _ = play(session, Actors(script))
        assert summary.failed == [("full_sft · pocket-0.2m rate 0.001, seed 1", "nan", "loss is nan at step 3")]
        rows = query(session, "SELECT status, reason, failed_phase FROM runs WHERE status != 'ok'")
        assert rows == [("nan", "loss is nan at step 3", "train")]
        assert query(session, "SELECT chosen_rate FROM arms WHERE label = 'full_sft'") == [(3e-4,)]

    def test_it_is_not_tried_again_unless_asked(self, session):
        def script(assignment):
            if assignment.stages[-1].stage.get("learning_rate") == 1e-3:
                return [Failed(status="oom", reason="out of memory")]

        play(session, Actors(script))
        assert play(session)[1].started == []
        # The one that failed, and the two seeds that its score now earns it.
        assert len(play(session, retry_failed=True)[1].started) == 3

    def test_a_session_with_nothing_to_do_still_says_what_had_failed(self, session):
        def script(assignment):
            if assignment.stages[-1].stage.get("learning_rate") == 1e-3:
                return [Failed(status="oom", reason="out of memory")]

        first, _ = play(session, Actors(script))
        second, actors = play(session)
        assert actors.started == []
        assert second.failed == first.failed != []

    def test_children_of_an_arm_that_failed_are_blocked_rows(self, session):
        def script(assignment):
            if "learning_rate" in assignment.stages[-1].stage:
                return [Failed(status="crashed", reason="no luck")]

        summary, _ = play(session, Actors(script))
        blocked = query(session, "SELECT label, reason FROM runs JOIN cells USING (cell_id) WHERE status = 'blocked'")
        assert [row for row in blocked if row[0] == "dpo"] == [
            ("dpo", "full_sft · pocket-0.2m has no run to start from")
        ]
        assert {status for _, status, _ in summary.failed} == {"crashed", "blocked"}

    def test_a_cell_that_is_killed_is_not_tried_twice_in_one_session(self, session):
        _, actors = play(session, Actors(lambda a: [Failed(status="killed", reason="SIGKILL")]))
        assert max(Counter(a.stages[-1].stage_id for a in actors.started).values()) == 1

    def test_refused_cells_are_rows_too(self, tmp_path):
        override = "methods.full_sft.kernels.attention=flash_attention_2"
        matrix = load_matrix(small_suite(tmp_path / "suite"), (override,))
        session = open_session(matrix, tmp_path / "t.db", device="cpu", jobs=2)
        summary, _ = play(session)
        refused = "SELECT DISTINCT label, reason FROM runs JOIN cells USING (cell_id) WHERE status = 'refused'"
        reason = "kernels.attention: flash_attention_2 needs a CUDA device"
        assert query(session, refused) == [("full_sft", reason)]
        assert summary.failed


def merging_without_memory(assignment):
    """Plays well, until the adapter is to be merged."""
    *said, _ = plays_well(assignment)
    if assignment.purpose == "quality" and assignment.stages[-1].stage["method"] == "full_sft":
        stage_id = assignment.stages[-1].stage_id
        failed = Failed(status="oom", reason="the kernel killed the process: out of memory")
        return [*said, PhaseStarted(stage_id=stage_id, phase="merge"), failed]
    return [*said, Done()]


class TestPredictions:
    BATCH = Batch(16, 30, padded=True)
    STORED = "SELECT component, predicted_bytes, model_version FROM predictions JOIN runs USING (run_id) {}"

    def trained_on(self, then):
        """Cells that say what they are about to be trained on, and then what ``then`` has them say."""

        def script(assignment):
            stage = assignment.stages[-1]
            told = Batches(stage_id=stage.stage_id, batches=(Batch(16, 20), self.BATCH))
            return [*([told] if "learning_rate" in stage.stage else []), *then(assignment)]

        return Actors(script)

    def test_what_training_should_need_is_stored_for_the_batch_that_needs_most(self, session):
        play(session, self.trained_on(plays_well))
        arm = next(arm for arm in session.arms if arm.label == "full_sft")
        told = need_for(arm, "cpu", [self.BATCH]).by_component()
        of_one = "WHERE run_id = (SELECT run_id FROM runs JOIN cells USING (cell_id) WHERE label = 'full_sft' LIMIT 1)"
        rows = query(session, self.STORED.format(of_one))
        assert sorted(rows) == sorted((name, size, model_version()) for name, size in told.items())
        assert query(session, "SELECT count(DISTINCT run_id) FROM predictions") == [(12,)]  # all but the base's

    def test_a_run_that_memory_ends_has_its_prediction_too(self, session):
        play(session, self.trained_on(lambda _: [Failed(status="oom", reason="out of memory", phase="train")]))
        assert query(session, self.STORED.format("WHERE status = 'oom'"))

    def test_a_recipe_that_is_not_predicted_runs_without_one(self, tmp_path):
        overrides = ("methods.full_sft.method=lora", "methods.full_sft.use_dora=true")
        matrix = load_matrix(small_suite(tmp_path / "suite"), overrides)
        session = open_session(matrix, tmp_path / "t.db", device="cpu", jobs=2)
        summary, _ = play(session, self.trained_on(plays_well))
        assert summary.failed == []
        assert query(session, "SELECT count(*) FROM predictions") == [(0,)]


class TestNoMemoryToMerge:
    def test_the_tuned_scores_stand_and_the_row_says_what_is_left_out(self, session):
        summary, _ = play(session, Actors(merging_without_memory))
        assert summary.failed == []
        rows = query(session, "SELECT status, reason, failed_phase FROM latest WHERE label = 'full_sft' "
                              "AND purpose = 'quality'")  # fmt: skip
        why = "not scored once merged: the kernel killed the process: out of memory"
        assert set(rows) == {("ok", why, "merge")}
        assert query(session, "SELECT chosen_rate FROM arms WHERE label = 'full_sft'") == [(3e-4,)]

    def test_it_is_not_tried_again_unless_asked(self, session):
        play(session, Actors(merging_without_memory))
        assert play(session)[1].started == []
        _, actors = play(session, retry_failed=True)
        assert {a.stages[-1].stage["method"] for a in actors.started} == {"full_sft"}

    def test_who_watches_is_told(self, session):
        console = Console(file=io.StringIO(), width=200)
        db = open_for_writing(session.workdir.root.parent / "t.db")
        with Display(console, lambda plan: 1.0) as display:
            Runner(session, Writer(db), Actors(merging_without_memory), display).run()
        db.conn.close()
        assert "ok full_sft · " in console.file.getvalue()
        assert "not scored once merged: the kernel killed" in console.file.getvalue()

    def test_no_memory_while_it_was_scored_as_tuned_is_a_failure(self, session):
        def fails_before(assignment):
            stage_id = assignment.stages[-1].stage_id
            return [PhaseStarted(stage_id=stage_id, phase="evaluate"), Failed(status="oom", reason="no memory")]

        summary, _ = play(session, Actors(fails_before))
        assert {status for _, status, _ in summary.failed} >= {"oom"}


class TestAFullDisk:
    def test_a_worker_without_space_ends_the_session_in_one_line_and_everything_runs_again(self, session):
        full = Actors(lambda a: [Failed(status="killed", reason="no space left: [Errno 28]")])
        with pytest.raises(UserError, match=r"no space left: .*free some and run again"):
            play(session, full)
        assert len(full.started) <= session.jobs
        assert query(session, "SELECT DISTINCT status FROM runs") == [("killed",)]
        assert not play(session)[0].failed


class TestChoosing:
    def test_the_rate_that_a_matrix_chooses_is_written_down_whatever_older_grids_hold(self, session, tmp_path):
        play(session)
        chosen = "SELECT DISTINCT chosen.learning_rate FROM chosen JOIN cells USING (arm_id) WHERE label = 'full_sft'"
        assert query(session, chosen) == [(3e-4,)]

        narrower = load_matrix(tmp_path / "suite" / "matrix.yaml", ("methods.full_sft.learning_rate=[1e-4, 1e-3]",))
        play(open_session(narrower, tmp_path / "t.db", device="cpu", jobs=2))
        assert query(session, chosen) == [(1e-3,)]


class TestResuming:
    def test_what_was_in_flight_when_the_runner_died_runs_again_and_nothing_counts_twice(self, session):
        class Dies(Exception):
            pass

        actors = Actors()

        def die_at_the_fifth():
            if len(actors.started) == 5:
                raise Dies

        actors.on_start = die_at_the_fifth
        with pytest.raises(Dies):
            play(session, actors)
        play(session)
        statuses = dict(query(session, "SELECT status, count(*) FROM runs GROUP BY 1"))
        assert statuses["ok"] == 13
        assert statuses["killed"] <= 2
        doubled = "SELECT cell_id FROM runs WHERE status = 'ok' GROUP BY cell_id, purpose HAVING count(*) > 1"
        assert query(session, doubled) == []

    def test_ctrl_c_ends_cleanly_and_the_next_run_goes_on(self, session):
        actors = Actors()
        actors.on_start = lambda: signal.raise_signal(signal.SIGINT) if len(actors.started) == 4 else None
        summary, _ = play(session, actors)
        assert summary.interrupted
        assert query(session, "SELECT DISTINCT reason FROM runs WHERE status = 'killed'") == [("interrupted",)]
        assert query(session, "SELECT count(*) FROM runs WHERE status = 'running'") == [(0,)]
        summary, _ = play(session)
        assert not summary.interrupted
        assert query(session, "SELECT count(*) FROM runs WHERE status = 'ok'") == [(13,)]

    def test_a_second_runner_on_the_same_file_says_that_it_will_not(self, tmp_path):
        workdir = Workdir.beside(tmp_path / "t.db")
        with workdir.lock(), pytest.raises(UserError, match=r"another run \(process \d+\) is writing to it"):
            workdir.lock()
        workdir.lock().close()


class TestArtifacts:
    def test_a_damaged_one_is_never_started_from(self, session):
        def damage(assignment):
            if len(assignment.stages) == 1:
                return None
            return [Failed(status="killed", reason="later")]

        play(session, Actors(damage))
        for path in session.workdir.artifacts.rglob("weights"):
            path.write_text("flipped")
        _, actors = play(session)
        assert all(a.stages[0].artifact is None for a in actors.started if len(a.stages) == 2)

    def test_a_stage_that_cells_share_has_one_producer_at_a_time(self, session):
        session.jobs = 4
        running: Counter[str] = Counter()
        actors = Actors()
        start = actors.start

        def watch(assignment, **options):
            for stage in assignment.stages:
                if stage.artifact is None and stage.artifact_out:
                    running[stage.stage_id] += 1
            busy = Counter(s.stage_id for a in actors.waiting for s in a.stages if s.artifact is None)
            assert all(busy[s.stage_id] == 0 for s in assignment.stages if s.artifact is None)
            start(assignment, **options)

        actors.start = watch
        play(session, actors)
        assert running


def test_jobs_and_paths_change_no_id(tmp_path):
    def ids(folder, jobs):
        folder.mkdir()
        session = open_session(load_matrix(small_suite(folder / "suite")), folder / "t.db", device="cpu", jobs=jobs)
        return [arm.arm_id for arm in session.arms], session.stack_id

    assert ids(tmp_path / "one", 1) == ids(tmp_path / "two", 8)
