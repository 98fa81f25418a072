"""The parts of a step: where one begins and the next one ends, in every kind of training."""

import pkgutil
import time
from pathlib import Path
from typing import Any

import pytest

from harness.meters.parts import StepParts
from tests.methods.cells import assignment, prepared, run, stage, train

WHOLE = {"data", "forward", "backward", "optimizer"}
LORA = stage("lora", steps=3)


def parts_of(folder: Path, *stages: dict[str, Any], **settings: Any) -> StepParts:
    meter = train(folder, *stages, **settings)[0].meter
    assert meter is not None
    return meter.parts


def slowed(call: Any, seconds: float) -> Any:
    def slow(*args: Any, **kwargs: Any) -> Any:
        time.sleep(seconds)
        return call(*args, **kwargs)

    return slow


def test_every_step_has_all_parts_and_they_add_up_to_it(tmp_path: Path) -> None:
    training, _ = train(tmp_path, LORA)
    assert training.meter is not None

    steps = training.meter.parts.seconds

    assert [set(step) for step in steps] == [WHOLE] * 3
    for step, whole in zip(steps, training.recorder.step_seconds, strict=True):
        assert sum(step.values()) == pytest.approx(whole, rel=0.05, abs=2e-3)


@pytest.mark.parametrize(
    ("slow", "part"),
    [
        ("torch.nn.functional.scaled_dot_product_attention", "forward"),
        ("torch.autograd.backward", "backward"),
        ("torch.optim.AdamW.step", "optimizer"),
        ("trl.trainer.sft_trainer.DataCollatorForLanguageModeling.torch_call", "data"),
    ],
)
def test_what_is_slow_makes_its_own_part_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow: str, part: str
) -> None:
    owner, _, name = slow.rpartition(".")
    target = pkgutil.resolve_name(owner)
    monkeypatch.setattr(target, name, slowed(getattr(target, name), 0.05))

    step = parts_of(tmp_path, LORA).seconds[1]  # in the last one no batch is fetched: there is no next one

    assert step[part] > 0.05  # type: ignore[index]
    assert max(step, key=lambda name: step[name]) == part


def test_several_micro_batches_are_added_up(tmp_path: Path) -> None:
    parts = parts_of(tmp_path, stage("lora", steps=2, batch_size=4), micro_batch_size=1)

    assert len(parts.seconds) == 2
    assert set(parts.seconds[0]) == WHOLE


@pytest.mark.parametrize("adapter", ["continue", "fresh"])
def test_an_adapters_reference_is_a_part_of_its_own(tmp_path: Path, adapter: str) -> None:
    run(assignment(tmp_path, LORA))

    parts = parts_of(tmp_path, LORA, stage("dpo", starts_from=LORA, steps=2, adapter=adapter))

    assert set(parts.seconds[-1]) == {*WHOLE, "reference"}


def test_a_reference_that_was_read_before_the_first_step_is_no_part(tmp_path: Path) -> None:
    full = stage("full_sft", steps=2)
    run(assignment(tmp_path, full))

    assert set(parts_of(tmp_path, full, stage("dpo", starts_from=full, steps=2)).seconds[-1]) == WHOLE


def test_on_a_gpu_parts_are_cut_by_events_of_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    class Event:
        made = 0

        def __init__(self, enable_timing: bool) -> None:
            assert enable_timing
            Event.made += 1
            self.milliseconds, self.recorded, self.waited = 10.0 * Event.made, False, False

        def record(self) -> None:
            self.recorded = True

        def synchronize(self) -> None:
            self.waited = True

        def elapsed_time(self, end: "Event") -> float:
            assert self.recorded and end.recorded
            return end.milliseconds - self.milliseconds

    monkeypatch.setattr("torch.cuda.Event", Event)
    parts = StepParts("cuda:0")
    parts.begin_step()
    for part in ("forward", "backward", "optimizer"):
        parts._enter(part)  # type: ignore[arg-type]
    parts.end_step()

    assert parts.seconds == [dict.fromkeys(("data", "forward", "backward", "optimizer"), pytest.approx(0.01))]


def test_nothing_is_hooked_into_a_model_that_is_compiled(tmp_path: Path) -> None:
    run(assignment(tmp_path, LORA))
    training = prepared(tmp_path, LORA, stage("dpo", starts_from=LORA, steps=2))
    trainer = training.method.trainer(training.job)
    before = len(trainer.model._forward_pre_hooks)
    trainer.args.torch_compile = True

    StepParts("cpu").follow(trainer)

    assert len(trainer.model._forward_pre_hooks) == before
