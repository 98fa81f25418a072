"""What a stage reports while it runs."""

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import harness.recorder
from harness.errors import NotANumber
from harness.events import Event, Progress
from harness.recorder import Recorder, gradient_norms
from harness.turns import Alone
from methods.trainer_arguments import _logging_steps
from tests.methods.cells import stage, train


def recorder(step_tokens: list[int]) -> tuple[Recorder, list[Event]]:
    said: list[Event] = []
    return Recorder("stage", step_tokens, said.append, lambda: None, Alone()), said


def state(step: int, steps: int = 4) -> Any:
    return SimpleNamespace(global_step=step, max_steps=steps)


@pytest.mark.parametrize("steps", [1, 63, 64, 65, 100, 126, 127, 128, 1000, 4096])
def test_a_stage_has_at_most_64_points(steps: int) -> None:
    every = _logging_steps(steps)
    points = {1, *range(every, steps + 1, every)}

    assert len(points) <= 64
    assert len(points) == steps or len(points) > 31


def test_a_long_stage_keeps_its_first_step_and_64_points_at_most(tmp_path: Path) -> None:
    curve = train(tmp_path, stage("lora", steps=70, batch_size=1))[1].steps

    assert (curve[0].step, curve[-1].step, len(curve)) == (1, 70, 36)


def test_a_short_stage_keeps_every_step_with_the_tokens_seen(tmp_path: Path) -> None:
    training, said = train(tmp_path, stage("lora", steps=5))

    assert [step.step for step in said.steps] == [1, 2, 3, 4, 5]
    assert said.steps[-1].tokens_seen == said.real_tokens == sum(training.recorder.step_tokens)
    assert [step.seconds for step in said.steps] == sorted(step.seconds for step in said.steps)


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_the_stage(loss: float) -> None:
    watcher, _ = recorder([10])

    with pytest.raises(NotANumber, match="at step 3"):
        watcher.on_log(None, state(3), None, {"loss": loss})


def test_a_gradient_norm_that_is_no_number_is_none() -> None:
    watcher, _ = recorder([10, 10])
    watcher.on_log(None, state(1), None, {"loss": 1.5, "grad_norm": float("nan")})

    assert (watcher.curve[0].loss, watcher.curve[0].gradient_norm) == (1.5, None)


def test_a_log_without_a_loss_is_no_point() -> None:
    watcher, _ = recorder([10])
    watcher.on_log(None, state(1), None, {"train_runtime": 3.0})

    assert watcher.curve == []


def test_progress_is_told_a_few_times_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(i * 0.05 for i in range(1000))  # read twice a step
    monkeypatch.setattr(harness.recorder.time, "perf_counter", lambda: next(clock))
    watcher, said = recorder([50] * 20)
    watcher.on_train_begin(None, state(0), None, model=None)
    for step in range(1, 21):  # a step takes 0.1 s
        watcher.on_step_end(None, state(step, 20), None)

    told = [event.step for event in said if isinstance(event, Progress)]

    assert 5 <= len(told) <= 7
    assert all(later - earlier >= 3 for earlier, later in pairwise(told))
    assert said[-1].tokens_per_second == pytest.approx(500, rel=0.1)  # type: ignore[attr-defined]


def test_the_fingerprint_holds_the_gradient_norm_of_every_trained_module(tmp_path: Path) -> None:
    full = train(tmp_path, stage("full_sft"))[1].fingerprint
    lora = train(tmp_path, stage("lora"))[1].fingerprint

    assert len(full) == 1 + 4 * 9 + 1  # embeddings, nine modules in each of four blocks, the last norm
    assert full["model.embed_tokens"] and full["model.embed_tokens"] > 0
    assert len(lora) == 4 * 7 * 2
    assert lora["model.layers.0.mlp.up_proj.lora_B.default"] and not lora["model.layers.0.mlp.up_proj.lora_A.default"]


def test_the_fingerprint_is_of_the_first_step(tmp_path: Path) -> None:
    one, many, other = (
        train(tmp_path, stage("full_sft", steps=steps, seed=seed))[1].fingerprint
        for steps, seed in ((1, 1), (3, 1), (3, 2))
    )

    assert one == many
    assert other != many


def test_a_gradient_that_is_no_number_is_none_for_its_module_alone() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.Linear(2, 2, bias=False))
    model[0].weight.grad = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
    model[1].weight.grad = torch.full((2, 2), float("nan"))

    assert gradient_norms(model) == {"0": 5.0, "1": None}
