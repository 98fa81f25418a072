"""The life of a cell in one process: what it says, in which order, and how it fails."""

import errno
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch

import harness.build
import harness.training
from harness import artifacts
from harness.assignment import Assignment
from harness.cell import run_cell
from harness.events import (
    NO_SPACE,
    Artifact,
    Batches,
    Done,
    Failed,
    Phase,
    PhaseStarted,
    Trained,
    from_line,
    to_line,
)
from harness.limits import MemoryLimit
from harness.loading import load_model
from harness.units import plain_size
from tests.methods.cells import assignment, events_of, item_values, losses, run, scores, stage, trained

FULL = stage("full_sft", steps=2)
QLORA = stage("qlora", steps=2)


def phases(said: list[Any]) -> list[str]:
    return [event.phase for event in said if isinstance(event, Phase)]


def figures_of(said: list[Any]) -> dict[str, Any]:
    return next(e.figures for e in said if isinstance(e, Phase) and e.phase == "train")


def limited(given: Assignment, usable_bytes: int) -> Assignment:
    return given.model_copy(update={"memory_limit": MemoryLimit(usable_bytes)})


def failure(said: list[Any]) -> Failed:
    assert isinstance(said[-1], Failed) and not any(isinstance(event, Done) for event in said)
    return said[-1]


# --- a cell that comes to its end -----------------------------------------------------------------------------------


def test_a_cell_loads_trains_keeps_scores_and_merges(tmp_path: Path) -> None:
    said = run(assignment(tmp_path, QLORA, evals=("choices",)))

    assert phases(said) == [
        "load", "train", "evaluate", "merge", "evaluate_merged", "requantise", "evaluate_requantised",
    ]  # fmt: skip
    assert isinstance(said[-1], Done)
    assert [scores(said, m).keys() for m in ("tuned", "merged", "merged_requantised")] == [{"pocket_arithmetic"}] * 3


def test_an_adapter_on_an_unquantised_base_is_merged_and_not_requantised(tmp_path: Path) -> None:
    said = run(assignment(tmp_path, stage("lora", steps=2), evals=("choices",)))

    assert phases(said) == ["load", "train", "evaluate", "merge", "evaluate_merged"]


def test_an_adapter_that_no_eval_wants_merged_is_not_merged(tmp_path: Path) -> None:
    assert phases(run(assignment(tmp_path, QLORA, evals=("unmerged",)))) == ["load", "train", "evaluate"]


def test_no_two_models_of_a_merge_are_in_memory_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[weakref.ref[Any]] = []
    alive: list[int] = []

    def load(*args: Any, **settings: Any) -> Any:
        alive.append(sum(model() is not None for model in loaded))
        model = load_model(*args, **settings)
        loaded.append(weakref.ref(model))
        return model

    monkeypatch.setattr(harness.build, "load_model", load)

    run(assignment(tmp_path, QLORA, evals=("choices",)))

    assert alive == [0, 0, 0]  # to train, to merge into, in 4 bit again


def test_no_memory_to_merge_is_said_after_the_tuned_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **settings: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(harness.build, "merged_anew", fail)

    said = events_of(assignment(tmp_path, QLORA, evals=("choices",)))

    assert scores(said, "tuned").keys() == {"pocket_arithmetic"}
    assert (failure(said).status, failure(said).phase) == ("oom", "merge")


def test_whole_weights_are_scored_as_they_are(tmp_path: Path) -> None:
    assert phases(run(assignment(tmp_path, FULL, evals=("choices",)))) == ["load", "train", "evaluate"]


def test_the_untrained_row_is_loaded_and_scored_alone(tmp_path: Path) -> None:
    said = run(assignment(tmp_path, stage("base"), evals=("choices",)))

    assert phases(said) == ["load", "evaluate"]
    assert scores(said, "base").keys() == {"pocket_arithmetic"}
    assert not any(isinstance(event, Trained) for event in said)


def test_a_measure_run_is_not_scored_and_keeps_no_result(tmp_path: Path) -> None:
    given = assignment(tmp_path, FULL, purpose="measure", evals=("choices",))

    said = run(given)

    assert phases(said) == ["load", "train"]
    assert not any(isinstance(event, Artifact) for event in said)
    figures = next(e.figures for e in said if isinstance(e, Phase) and e.phase == "train")
    assert {"tokens_per_second_median", "ledger_activation_bytes", "rss_peak_bytes"} <= figures.keys()


def test_what_its_last_stage_is_about_to_be_trained_on_is_said_before_that_begins(tmp_path: Path) -> None:
    said = run(assignment(tmp_path, FULL, stage("dpo", starts_from=FULL, steps=2)))

    (told,) = (place for place, event in enumerate(said) if isinstance(event, Batches))
    (begun,) = (
        place
        for place, event in enumerate(said)
        if isinstance(event, PhaseStarted) and (event.stage_id, event.phase) == ("stage-1", "train")
    )
    assert told < begun
    assert said[told].stage_id == "stage-1"


def test_a_result_is_kept_under_its_hash(tmp_path: Path) -> None:
    given = assignment(tmp_path, FULL)

    (kept,) = [event for event in run(given) if isinstance(event, Artifact)]

    folder = Path(given.stages[0].artifact_out or "")
    assert artifacts.folder_digest(folder) == (kept.sha256, kept.size_bytes)
    assert kept.path == folder.name


def test_a_reused_result_is_not_trained_again_and_scores_the_same(tmp_path: Path) -> None:
    first = run(assignment(tmp_path, QLORA, evals=("choices",)))

    again = run(
        assignment(tmp_path, QLORA, evals=("choices",), reused={0: tmp_path / "artifacts" / "stage-0"})
    )  # fmt: skip

    assert [(e.reused, e.steps) for e in again if isinstance(e, Trained)] == [(True, [])]
    assert "train" not in phases(again)
    for moment in ("tuned", "merged", "merged_requantised"):
        before, after = (item_values(scores(said, moment)["pocket_arithmetic"]) for said in (first, again))
        assert after == before


def test_dpo_on_a_reused_stage_trains_as_it_would_after_it(tmp_path: Path) -> None:
    stages = QLORA, stage("dpo", starts_from=QLORA, steps=3, rate=1e-2)
    whole = run(assignment(tmp_path, *stages))

    reusing = run(assignment(tmp_path, *stages, reused={0: tmp_path / "artifacts" / "stage-0"}))

    assert losses(reusing, -1) == losses(whole, -1)


def test_two_runs_of_a_cell_are_the_same_to_the_bit(tmp_path: Path) -> None:
    one, two = (run(assignment(tmp_path, QLORA, evals=("choices",))) for _ in range(2))

    assert losses(one) == losses(two)
    assert trained(one).fingerprint == trained(two).fingerprint
    assert scores(one, "tuned") == scores(two, "tuned")


def test_what_a_cell_says_survives_the_wire(tmp_path: Path) -> None:
    for event in run(assignment(tmp_path, QLORA, evals=("choices",))):
        assert from_line(to_line(event)) == event


# --- planted faults -------------------------------------------------------------------------------------------------


def test_a_rate_of_a_million_ends_as_nan(tmp_path: Path) -> None:
    failed = failure(events_of(assignment(tmp_path, stage("full_sft", rate=1e6, steps=6))))

    assert (failed.status, failed.phase) == ("nan", "train")
    assert "loss is nan at step" in failed.reason


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_memory_is_oom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    plant(monkeypatch, error)

    failed = failure(events_of(assignment(tmp_path, FULL)))

    assert (failed.status, failed.phase) == ("oom", "train")
    assert failed.reason.startswith("needs more than this device's ")


def test_of_a_limited_run_that_memory_ends_the_reason_names_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."))

    failed = failure(events_of(limited(assignment(tmp_path, FULL), 24 * 10**9)))

    said = "needs more than 24 GB: OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."
    assert (failed.status, failed.phase, failed.reason) == ("oom", "train", said)


def test_on_a_cpu_a_measure_run_that_passes_the_limit_ends_where_it_does(tmp_path: Path) -> None:
    given = assignment(tmp_path, FULL, purpose="measure")
    peak = sum(size for name, size in figures_of(run(given)).items() if name.startswith("ledger_"))

    loaded, trained_ = (failure(events_of(limited(given, size))) for size in (100_000, peak - 1))

    assert (loaded.status, loaded.phase) == ("oom", "load")
    assert (trained_.status, trained_.phase) == ("oom", "train")
    assert trained_.reason.startswith(f"needs more than {plain_size(peak - 1)}: OutOfMemoryError: tensors of ")
    assert isinstance(events_of(limited(given, peak))[-1], Done)


def test_on_a_cpu_other_runs_are_not_limited(tmp_path: Path) -> None:
    assert isinstance(events_of(limited(assignment(tmp_path, FULL), 1))[-1], Done)


def test_what_torch_says_when_memory_is_short_is_oom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    too_much = 2**62
    monkeypatch.setattr(
        harness.training.StageTraining, "run", lambda self, memory: torch.empty(too_much, dtype=torch.uint8)
    )

    failed = failure(events_of(assignment(tmp_path, FULL)))

    assert failed.status == "oom", failed.reason


def test_any_other_exception_is_a_crash_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, LookupError("no such thing\nand more"))

    failed = failure(events_of(assignment(tmp_path, FULL)))

    assert (failed.status, failed.phase, failed.reason) == ("crashed", "train", "LookupError: no such thing")


def test_an_interrupted_cell_is_killed_and_the_interrupt_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, KeyboardInterrupt())
    said: list[Any] = []

    with pytest.raises(KeyboardInterrupt):
        run_cell(assignment(tmp_path, FULL), said.append)

    assert failure(said).status == "killed"


@pytest.mark.parametrize("method", ["full_sft", "lora"])
def test_a_damaged_result_is_a_crash_while_loading(tmp_path: Path, method: str) -> None:
    spec = stage(method, steps=2)
    run(assignment(tmp_path, spec))
    folder = tmp_path / "artifacts" / "stage-0"
    weights = next(folder.glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])

    failed = failure(events_of(assignment(tmp_path, spec, evals=("choices",), reused={0: folder})))

    assert (failed.status, failed.phase) == ("crashed", "load")


def test_a_task_that_is_not_there_is_a_crash_while_scoring(tmp_path: Path) -> None:
    given = assignment(tmp_path, stage("base"), evals=("choices",))
    missing = given.evals[0].model_copy(update={"metric": "f1"})

    failed = failure(events_of(given.model_copy(update={"evals": (missing,)})))

    assert (failed.status, failed.phase) == ("crashed", "evaluate")
    assert "has no metric f1" in failed.reason


def test_a_full_disk_is_no_result_of_the_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, OSError(errno.ENOSPC, "No space left on device"))

    failed = failure(events_of(assignment(tmp_path, FULL)))

    assert failed.status == "killed" and failed.reason.startswith(NO_SPACE)


def test_a_failed_stage_leaves_no_result(tmp_path: Path) -> None:
    events_of(assignment(tmp_path, stage("full_sft", rate=1e6, steps=6)))

    assert not (tmp_path / "artifacts").exists()


@pytest.mark.parametrize("rate", [1e-3, 1e6], ids=["ok", "nan"])
def test_the_scratch_folder_is_gone_at_the_end(tmp_path: Path, rate: float) -> None:
    given = assignment(tmp_path, stage("full_sft", rate=rate))

    events_of(given)

    assert not Path(given.folder).exists()


def test_a_phase_that_failed_is_started_and_not_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, MemoryError())

    said = events_of(assignment(tmp_path, FULL))

    assert [event.phase for event in said if isinstance(event, PhaseStarted)] == ["load", "train"]
    assert phases(said) == ["load"]


def plant(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make training raise ``error``."""

    def fail(self: Any, memory: Any) -> None:
        raise error

    monkeypatch.setattr(harness.training.StageTraining, "run", fail)
