"""What a training stage reports while it runs: its loss curve, first-step fingerprint, step times and progress."""

import math
import time
from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback

from harness.errors import NotANumber
from harness.events import Event, Progress, Step
from harness.turns import Alone

PROGRESS_SECONDS = 0.3


class Recorder(TrainerCallback):
    """Reads a trainer from its callbacks.

    ``step_tokens`` holds the real tokens of each optimizer step, known from the order before training starts.
    """

    def __init__(
        self,
        stage_id: str,
        step_tokens: list[int],
        emit: Callable[[Event], None],
        synchronise: Callable[[], None],
        turns: Alone,
    ) -> None:
        self.stage_id, self.emit, self.synchronise = stage_id, emit, synchronise
        self.step_tokens = step_tokens
        self.seen = [0]
        for tokens in step_tokens:
            self.seen.append(self.seen[-1] + tokens)
        self.curve: list[Step] = []
        self.step_seconds: list[float] = []
        self.fingerprint: dict[str, float | None] = {}
        self.on_begin: Callable[[Any, Any], None] = lambda model, optimizer: None
        self.before_step: Callable[[], None] = lambda: None
        self.after_step: Callable[[], None] = lambda: None
        self.turns = turns
        self._started = self._step_started = self._told = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the clock, once the device has done what came before."""
        self.on_begin(kwargs["model"], kwargs.get("optimizer"))
        self.turns.begin()
        self.synchronise()
        self.before_step()
        self._started = self._step_started = time.perf_counter()

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Keep the first step's gradient norms."""
        if not self.fingerprint:
            self.fingerprint = gradient_norms(kwargs["model"])

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Take the step's time, let the other side have its turn, and tell the progress now and then."""
        self.synchronise()
        now = time.perf_counter()
        self.step_seconds.append(now - self._step_started)
        self.after_step()
        self.turns.end_step(last=state.global_step == state.max_steps)
        self.before_step()
        self._step_started = time.perf_counter()
        if now - self._told > PROGRESS_SECONDS:
            self._told = now
            step = state.global_step
            rate = self.seen[min(step, len(self.step_tokens))] / (now - self._started)
            loss = self.curve[-1].loss if self.curve else None
            self.emit(
                Progress(stage_id=self.stage_id, step=step, steps=state.max_steps, loss=loss, tokens_per_second=rate)
            )

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """Keep a point of the loss curve; raises NotANumber for a loss that is none."""
        if not logs or "loss" not in logs:
            return
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            raise NotANumber(f"loss is {loss} at step {state.global_step}")
        norm = logs.get("grad_norm")
        self.curve.append(
            Step(
                step=state.global_step,
                loss=loss,
                gradient_norm=float(norm) if norm is not None and math.isfinite(float(norm)) else None,
                tokens_seen=self.seen[min(state.global_step, len(self.step_tokens))],
                seconds=time.perf_counter() - self._started,
            )
        )


def gradient_norms(model: Any) -> dict[str, float | None]:
    """L2 norm of the gradient of each module that holds trained weights, after clipping; None where it is no number."""
    squares: dict[str, float] = {}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            module = name.rpartition(".")[0].removeprefix("base_model.model.")
            squares[module] = squares.get(module, 0.0) + float(parameter.grad.detach().float().pow(2).sum())
    return {module: math.sqrt(value) if math.isfinite(value) else None for module, value in squares.items()}
