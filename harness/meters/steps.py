"""Everything that is measured of a training's steps: their parts, and in watched steps what stands in memory.

Watched are warm-up steps alone: looking at memory must not slow the steps that are timed.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from functools import wraps
from typing import Any

import numpy as np

from harness.events import Measured, PartCost
from harness.meters.energy import EnergyMeter
from harness.meters.ledger import TensorLedger
from harness.meters.memory import MemoryMeter, Peaks
from harness.meters.parts import PARTS, Part, StepParts
from harness.meters.timeline import Timeline

SHORTEST_SECONDS = 1.0  # NVML's counter may be a tenth of a second old, so that shorter ones are off by more than that


class StepMeter:
    """Follows ``trainer``, built and not begun; the first ``watched_steps`` of its steps are watched.

    ``memory`` is the meter of the phase that the training is, ``energy`` that of its other, timed steps: it is read as
    the first of them begins and as the last has ended. The recorder calls ``begin_step`` and ``end_step``.
    """

    def __init__(
        self, trainer: Any, device: str, memory: MemoryMeter, watched_steps: int, energy: EnergyMeter | None = None
    ) -> None:
        self.watched_steps, self.memory, self.energy = watched_steps, memory, energy
        self.steps: int = trainer.args.max_steps
        self.joules: float | None = None
        self.ledger = TensorLedger(trainer.model, getattr(trainer, "ref_model", None)) if watched_steps else None
        self.timeline = Timeline(device)
        self.peaks: dict[Part, Peaks] = {}
        if self.ledger is not None:
            self.ledger.on_note = self.timeline.note
            trainer.training_step = self._watching(trainer.training_step)
        self.parts = StepParts(device)
        self.parts.on_enter, self.parts.on_leave = self._enter, self._leave
        self.parts.follow(trainer)

    @property
    def is_watching(self) -> bool:
        """Is this step one of those that are watched?"""
        return len(self.parts.seconds) < self.watched_steps

    def begin_step(self) -> None:
        """Before a step's batch is fetched."""
        if self.is_watching:
            self.timeline.begin_step()
            self.memory.lap()
        elif self.energy is not None and len(self.parts.seconds) == self.watched_steps:
            self.energy.start()
        self.parts.begin_step()

    def end_step(self) -> None:
        """After a step, once the device is done with it."""
        self.parts.end_step()
        if self.energy is not None and len(self.parts.seconds) == self.steps:
            self.joules = self.energy.stop()

    def measured(self, stage_id: str, step_tokens: Sequence[int]) -> Measured:
        """The parts and the energy of the steps that were not watched, and the watched ones' memory. Takes the real
        tokens of each step."""
        timed = self.parts.seconds[self.watched_steps :]
        parts = [self._cost(part, [step.get(part, 0.0) for step in timed]) for part in PARTS if self._has(part)]
        seconds = [sum(step.values()) for step in timed]
        whole = PartCost(
            part="step",
            timed_tokens=sum(step_tokens[self.watched_steps :]),
            timed_joules=self.joules if sum(seconds) >= SHORTEST_SECONDS else None,
        ).model_copy(update=_quartiles(seconds))
        return Measured(stage_id=stage_id, parts=[*parts, whole], timeline=self.timeline.columns())

    def _has(self, part: Part) -> bool:
        return any(part in step for step in self.parts.seconds)

    def _cost(self, part: Part, seconds: Sequence[float]) -> PartCost:
        peaks = self.peaks.get(part, Peaks())
        memory = PartCost(
            part=part,
            peak_allocated_bytes=peaks.allocated,
            peak_reserved_bytes=peaks.reserved,
            peak_ledger_bytes=self.timeline.peaks.get(part),
        )
        return memory.model_copy(update=_quartiles(seconds))

    def _enter(self, part: Part) -> None:
        """At the start of a part of a watched step what stands is taken, and at its end again, with its peaks."""
        self.timeline.part = part
        if self.ledger is not None and self.is_watching:
            self.ledger.note()

    def _leave(self, part: Part) -> None:
        if self.ledger is None or not self.is_watching:
            return
        self.ledger.note()
        self.peaks[part] = self.peaks.get(part, Peaks()).higher(self.memory.lap())

    def _watching(self, training_step: Any) -> Any:
        assert self.ledger is not None
        ledger = self.ledger

        @wraps(training_step)
        def watched(*args: Any, **kwargs: Any) -> Any:
            with ledger.watch() if self.is_watching else nullcontext():
                return training_step(*args, **kwargs)

        return watched


def _quartiles(seconds: Sequence[float]) -> dict[str, float]:
    if not seconds:
        return {}
    p25, median, p75 = np.percentile(seconds, [25, 50, 75])
    return {"seconds_median": float(median), "seconds_p25": float(p25), "seconds_p75": float(p75)}
