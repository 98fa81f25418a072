"""The parts of a training step: how long each takes, and what stands in memory in it.

A step is cut where the trainer goes from one part to the next: ``data`` (fetching and padding the next batch, before
anything is computed), ``forward``, ``reference`` (a pass without gradients inside DPO's loss), ``backward``, and
``optimizer`` (clipping, the step, gradients set free). With several micro-batches a part comes several times.

On CUDA a cut is an event on the stream, which the device reaches when all that was launched before it is done; on a CPU
it is the clock.
"""

import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, get_args

Part = Literal["data", "forward", "reference", "backward", "optimizer"]
PARTS: tuple[Part, ...] = get_args(Part)


class StepParts:
    """Follows one trainer; ``now`` is the part it is in. ``seconds`` has one dictionary a step, as they end."""

    def __init__(self, device: str) -> None:
        self.now: Part = "data"
        self.seconds: list[dict[Part, float]] = []
        self.on_leave: Callable[[Part], None] = lambda part: None
        self.on_enter: Callable[[Part], None] = lambda part: None
        self._mark = _event if device.startswith("cuda") else time.perf_counter
        self._cuts: list[tuple[Part, Any]] = []

    def follow(self, trainer: Any) -> None:
        """Cut the steps of ``trainer``, a Transformers ``Trainer`` that is built and has not begun."""
        trainer.compute_loss = self._then("backward", trainer.compute_loss)
        trainer.training_step = self._between("forward", "optimizer", trainer.training_step)
        if hasattr(trainer, "ref_model") and not trainer.args.torch_compile:  # a hook would break what is compiled
            for model in filter(None, (trainer.model, trainer.ref_model)):
                model.register_forward_pre_hook(self._enter_reference)
                model.register_forward_hook(self._leave_reference)

    def begin_step(self) -> None:
        """A step begins: its batch is fetched next."""
        self.now, self._cuts = "data", [("data", self._mark())]
        self.on_enter("data")

    def end_step(self) -> None:
        """A step has ended, and the device with it: the caller has waited for it."""
        self.on_leave(self.now)
        took: dict[Part, float] = defaultdict(float)
        marks = [*(mark for _, mark in self._cuts[1:]), self._mark()]
        _settle(marks[-1])
        for (part, start), end in zip(self._cuts, marks, strict=True):
            took[part] += _seconds(start, end)
        self.seconds.append(dict(took))

    def _enter(self, part: Part) -> None:
        self.on_leave(self.now)
        self.now = part
        self.on_enter(part)
        self._cuts.append((part, self._mark()))

    def _between(self, before: Part, after: Part, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def followed(*args: Any, **kwargs: Any) -> Any:
            self._enter(before)
            result = call(*args, **kwargs)
            self._enter(after)
            return result

        return followed

    def _then(self, part: Part, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def followed(*args: Any, **kwargs: Any) -> Any:
            result = call(*args, **kwargs)
            if self.now == "forward":  # what computes a loss outside of a step is not cut
                self._enter(part)
            return result

        return followed

    def _enter_reference(self, module: Any, inputs: Any) -> None:
        import torch

        if self.now == "forward" and not torch.is_grad_enabled():
            self._enter("reference")

    def _leave_reference(self, module: Any, inputs: Any, outputs: Any) -> None:
        if self.now == "reference":
            self._enter("forward")


def _event() -> Any:
    import torch

    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event


def _settle(mark: Any) -> None:
    if not isinstance(mark, float):
        mark.synchronize()


def _seconds(start: Any, end: Any) -> float:
    return end - start if isinstance(start, float) else start.elapsed_time(end) / 1000
