"""The life of a cell, from birth to death: load, train each stage, score each moment.

Runs in a process of its own. It reads its assignment, touches no database, and says what happens through ``emit``.
"""

import contextlib
import errno
import gc
import shutil
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import methods.registry
from harness import artifacts
from harness.assignment import Assignment, StageToRun
from harness.events import NO_SPACE, Artifact, Done, Event, Failed, Moment, Phase, PhaseStarted, Trained
from harness.limits import impose
from harness.meters.energy import EnergyMeter
from harness.meters.ledger import model_bytes, refuse_beyond
from harness.meters.memory import MemoryMeter
from harness.stack import device_memory_bytes
from harness.units import size_text

Emit = Callable[[Event], None]
Figures = tuple[dict[str, Any], MemoryMeter]  # what a phase adds to its own, and what watches its memory


def run_cell(assignment: Assignment, emit: Emit) -> None:
    """Run one cell to its end; every way in which it can end is an event."""
    cell = Cell(assignment, emit)
    try:
        cell.run()
        emit(Done())
    except BaseException as error:
        status, reason = _status(error), _reason(error)
        if status == "oom":
            reason = f"{_shortage(assignment)}: {reason}"
        emit(Failed(status=status, reason=reason, phase=cell.phase_now))
        if not isinstance(error, Exception):
            raise
    finally:
        shutil.rmtree(assignment.folder, ignore_errors=True)


class Cell:
    """One cell at work."""

    def __init__(self, assignment: Assignment, emit: Emit) -> None:
        self.assignment, self.emit = assignment, emit
        self.measuring = assignment.purpose == "measure"
        self.phase_now: str | None = None
        self.last_stage = assignment.stages[-1]
        self.tokenizer: Any = None
        self.model: Any = None  # held here alone, so that a model is gone before the next one is loaded

    def run(self) -> None:
        """Stages in order, then the moments; a measure run is not scored."""
        if self.measuring:
            self._measure_device()
        impose(self.assignment.memory_limit, self.assignment.device)
        self._seed(0)
        Path(self.assignment.folder).mkdir(parents=True, exist_ok=True)
        self.tokenizer = load_tokenizer(self.assignment)
        method = methods.registry.get(self.last_stage.stage["method"])
        if method.learns_from == "nothing":
            self.model = self._load(self.last_stage, 0)
            self._score_untrained()
            return
        for position, stage in enumerate(self.assignment.stages):
            final = position == len(self.assignment.stages) - 1
            if stage.artifact is not None and not (final and self.measuring):
                self.emit(Trained(stage_id=stage.stage_id, reused=True))
                self.model = None
            else:
                self.model = self._train(stage, position)
        if not self.measuring:
            self._score_tuned()

    # --- loading ------------------------------------------------------------------------------------------------

    def _load(self, stage: StageToRun, position: int) -> Any:
        from harness.build import build_model

        with self._phase(stage, "load"):
            model = build_model(self.assignment, position, results=self.results)
            if self.measuring:
                refuse_beyond(self.assignment.ledger_limit, sum(model_bytes(model)))
            return model

    @property
    def results(self) -> dict[str, Path]:
        """Where each stage's result lies, of those that have one."""
        return {
            stage.stage_id: Path(place)
            for stage in self.assignment.stages
            if (place := stage.artifact or stage.artifact_out) and Path(place).is_dir()
        }

    # --- training -----------------------------------------------------------------------------------------------

    def _train(self, stage: StageToRun, position: int) -> Any:
        from harness.training import StageTraining

        if self.model is not None:  # an earlier stage's, of which the result is on disk
            self._free()
        model = self._load(stage, position)
        training = StageTraining(self.assignment, stage, position, model, self.tokenizer, self.emit, self.results)
        if stage is self.last_stage:
            self.emit(training.batches())
        with self._phase(stage, "train", energy=True) as (figures, memory):
            trained = training.run(memory)
            figures.update(training.figures())
        self.emit(trained)
        if measured := training.measured():
            self.emit(measured)
        if stage.artifact_out is not None and not training.measuring:
            self._keep(stage, training.model)
        return training.model

    def _measure_device(self) -> None:
        """Before a limit holds and a model is there: afterwards there may be no room."""
        from harness.meters.ceilings import measure_ceilings

        self.phase_now = "ceilings"
        self.emit(measure_ceilings(self.assignment.device))

    def _keep(self, stage: StageToRun, model: Any) -> None:
        assert stage.artifact_out is not None
        from harness.build import save_result

        target = Path(stage.artifact_out)
        sha256, size = artifacts.keep(target, lambda folder: save_result(model, folder))
        self.emit(Artifact(stage_id=stage.stage_id, path=target.name, sha256=sha256, size_bytes=size))

    # --- scoring ------------------------------------------------------------------------------------------------

    def _scorer(self) -> Any:
        from harness.scoring import Scorer

        assert self.assignment.tasks_folder is not None
        return Scorer(Path(self.assignment.tasks_folder), self.assignment.evals, self.assignment.eval_batch_size)

    def _score_untrained(self) -> None:
        if not self.assignment.evals:
            return
        shots = self.last_stage.stage["parameters"]["shots"]
        self._score("evaluate", self._scorer(), "prompted" if shots else "base", shots)

    def _score_tuned(self) -> None:
        """Tuned as trained; an adapter merged as well, where an eval wants that."""
        from harness.build import build_model

        if not self.assignment.evals:
            return
        if self.model is None:
            with self._phase(self.last_stage, "load"):
                self.model = build_model(self.assignment, len(self.assignment.stages), results=self.results)
        scorer = self._scorer()
        self._score("evaluate", scorer, "tuned")
        if hasattr(self.model, "peft_config") and any(one.is_wanted("merged") for one in self.assignment.evals):
            self._score_merged(scorer)

    def _score_merged(self, scorer: Any) -> None:
        """Merged, and a merged QLoRA model in 4 bit again; no two of these models are in memory at once."""
        from harness import build

        stage, quantised = self.last_stage, build.quantisation_of(self.assignment) is not None
        with self._phase(stage, "merge"):
            if quantised:
                self._free()
                self.model = build.merged_anew(self.assignment, results=self.results)
            else:
                self.model = self.model.merge_and_unload()
        self._score("evaluate_merged", scorer, "merged")
        if quantised:
            with self._phase(stage, "requantise"), TemporaryDirectory(dir=self.assignment.folder) as folder:
                self.model.save_pretrained(folder)
                self._free()
                self.model = build.requantised_model(self.assignment, Path(folder))
            self._score("evaluate_requantised", scorer, "merged_requantised")

    def _score(self, phase: str, scorer: Any, moment: Moment, shots: int = 0) -> None:
        with self._phase(self.last_stage, phase):
            for score in scorer.score(self.model, self.tokenizer, moment, shots):
                self.emit(score)

    def _free(self) -> None:
        """Let go of the model, and of the cycles that a trainer leaves around it."""
        import torch

        self.model = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    # --- phases -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _phase(self, stage: StageToRun, name: str, energy: bool = False) -> Iterator[Figures]:
        """Peaks are reset on entry; what was measured is said on leaving."""
        self.phase_now = name
        self.emit(PhaseStarted(stage_id=stage.stage_id, phase=name))
        memory, joules = MemoryMeter(self.assignment.device), EnergyMeter(self.assignment.device)
        figures: dict[str, Any] = {}
        memory.start()
        joules.start()
        began = time.perf_counter()
        yield figures, memory
        seconds = time.perf_counter() - began
        figures.update(memory.stop())
        if energy:
            figures["energy_joules"] = joules.stop()
        self.emit(Phase(stage_id=stage.stage_id, phase=name, wall_seconds=seconds, figures=figures))

    @staticmethod
    def _seed(seed: int) -> None:
        from transformers import set_seed

        set_seed(seed)


def load_tokenizer(assignment: Assignment) -> Any:
    """The base's tokenizer, with the pad token that the matrix names, if it names one."""
    return read_tokenizer(assignment.base.tokenizer_folder, assignment.base.pad_token)


@cache
def read_tokenizer(folder: str, pad_token: str | None) -> Any:
    """The tokenizer in ``folder``, read once in a process."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if pad_token is not None:
        tokenizer.pad_token = pad_token
    return tokenizer


# What PyTorch's allocators and CUDA's libraries say in a plain RuntimeError.
_NO_MEMORY = (
    *("not enough memory", "can't allocate memory", "Cannot allocate memory", "ALLOC_FAILED"),
    *("out of memory", "CUBLAS_STATUS_NOT_INITIALIZED"),
)


def _status(error: BaseException) -> Any:
    name, text = type(error).__name__, str(error)
    if name == "OutOfMemoryError" or isinstance(error, MemoryError) or any(sign in text for sign in _NO_MEMORY):
        return "oom"
    if name == "NotANumber":
        return "nan"
    if _is_no_space(error):
        return "killed"  # it says nothing of the cell, which is to run again
    return "killed" if isinstance(error, KeyboardInterrupt | SystemExit) else "crashed"


def _shortage(assignment: Assignment) -> str:
    """More than what a run needs that memory has ended."""
    if assignment.memory_limit is not None:
        return f"needs more than {assignment.memory_limit.words}"
    return f"needs more than this device's {size_text(device_memory_bytes(assignment.device))}"


def _is_no_space(error: BaseException) -> bool:
    return getattr(error, "errno", None) == errno.ENOSPC or "No space left on device" in str(error)


def _reason(error: BaseException) -> str:
    if _is_no_space(error):
        return f"{NO_SPACE}: {error}"[:500]
    lines = [line for line in str(error).splitlines() if line.strip()]
    told = f"{type(error).__name__}: {lines[0] if lines else 'no message'}"[:500]
    return " ".join([told, *getattr(error, "__notes__", ())])
