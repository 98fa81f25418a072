"""One stage: its rows in order, its counts, and what a measure run adds."""

import json
from pathlib import Path
from typing import Any

import pytest
from torch import OutOfMemoryError

import harness.training
from harness.events import Failed
from harness.meters.steps import StepMeter
from harness.training import loss_tokens, real_tokens
from tests.methods.cells import PREFERENCE, SFT, assignment, events_of, losses, prepared, run, stage, train

FULL = stage("full_sft", steps=3, batch_size=4)


def test_as_many_rows_as_steps_need_are_drawn(tmp_path: Path) -> None:
    rows = prepared(tmp_path, stage("full_sft", steps=5, batch_size=3)).rows

    assert len(rows) == 15


def test_every_example_comes_once_before_any_comes_again(tmp_path: Path) -> None:
    rows = prepared(tmp_path, stage("full_sft", steps=2, batch_size=8)).rows

    first, second = ({json.dumps(row) for row in half} for half in (rows[:8], rows[8:]))
    assert len(first) == len(second) == 8


def test_tokens_are_counted_as_the_trainer_counts_them(tmp_path: Path) -> None:
    training = prepared(tmp_path, FULL)
    trainer = training.method.trainer(training.job)
    batches = list(trainer.get_train_dataloader())

    assert sum(map(real_tokens, training.rows)) == sum(int(b["attention_mask"].sum()) for b in batches)
    assert sum(map(loss_tokens, training.rows)) == sum(int((b["labels"] != -100).sum()) for b in batches)
    assert training.recorder.step_tokens == [int(b["attention_mask"].sum()) for b in batches]


def test_tokens_of_a_pair_are_those_of_both_answers_with_their_prompt(tmp_path: Path) -> None:
    run(assignment(tmp_path, FULL))
    training = prepared(tmp_path, FULL, stage("dpo", starts_from=FULL, steps=2))
    trainer = training.method.trainer(training.job)
    batches = list(trainer.get_train_dataloader())

    assert sum(map(real_tokens, training.rows)) == sum(int(b["attention_mask"].sum()) for b in batches)
    assert sum(map(loss_tokens, training.rows)) == sum(int(b["completion_mask"].sum()) for b in batches)


def test_an_example_that_would_be_cut_is_refused(tmp_path: Path) -> None:
    spec = {**FULL, "sequence_length": 12}

    with pytest.raises(ValueError, match=r"an example of \d+ tokens; sequence_length is 12"):
        prepared(tmp_path, spec)


def test_parameters_are_counted_as_those_of_the_model_whatever_they_are_packed_in(tmp_path: Path) -> None:
    plain = 448 * 64 + 4 * (4 * 64 * 64 + 3 * 64 * 192 + 2 * 64) + 64
    adapter = 4 * 8 * (4 * (64 + 64) + 3 * (64 + 192))  # rank 8 on seven layers in each of four blocks

    full, qlora = (train(tmp_path, stage(method))[1] for method in ("full_sft", "qlora"))

    assert (full.trainable_parameters, full.total_parameters) == (plain, plain)
    assert (qlora.trainable_parameters, qlora.total_parameters) == (adapter, plain + adapter)


def test_a_references_copy_is_not_counted_among_the_parameters(tmp_path: Path) -> None:
    lora = stage("lora")
    run(assignment(tmp_path, lora))
    alone = train(tmp_path, lora)[1]

    pairs = train(tmp_path, lora, stage("dpo", starts_from=lora))[1]

    assert (pairs.trainable_parameters, pairs.total_parameters) == (alone.trainable_parameters, alone.total_parameters)


def test_it_says_what_it_is_about_to_be_trained_on_once_the_optimizer_has_its_state(tmp_path: Path) -> None:
    training = prepared(tmp_path, stage("full_sft", steps=3, batch_size=4), micro_batch_size=2)
    lengths = [len(row["input_ids"]) for row in training.rows]

    later = training.batches().batches

    assert max(batch.length for batch in later) == max(lengths[4:])
    assert {(batch.rows, batch.accumulated) for batch in later} == {(2, False), (2, True)}


def test_the_one_step_that_there_is_counts(tmp_path: Path) -> None:
    assert prepared(tmp_path, stage("full_sft", steps=1, batch_size=4)).batches().batches


def test_a_measure_run_says_which_passes_are_timed_and_how_many_of_each(tmp_path: Path) -> None:
    training = prepared(tmp_path, FULL, purpose="measure", measure_steps=3, micro_batch_size=2)
    warm_up = training.rows[: training.warmup_steps * 4]

    told = training.batches()

    assert told.steps == 3
    assert sum(one.count for one in told.timed) == 3 * 2
    assert sum(one.batch.rows * one.count for one in told.timed) == len(training.rows) - len(warm_up)


def test_what_fails_says_in_which_part_of_a_step_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*args: Any, **kwargs: Any) -> None:
        raise OutOfMemoryError("no room")

    given = assignment(tmp_path, FULL)
    monkeypatch.setattr("torch.optim.AdamW.step", no_room)

    failed = [event for event in events_of(given) if isinstance(event, Failed)]

    assert [(f.status, f.phase, f.reason) for f in failed] == [
        ("oom", "train", f"{failed[0].reason.partition(': ')[0]}: OutOfMemoryError: no room (in the optimizer's step)")
    ]


# --- measuring ------------------------------------------------------------------------------------------------------


def test_a_measure_run_takes_its_own_number_of_steps(tmp_path: Path) -> None:
    training, said = train(tmp_path, FULL, purpose="measure", measure_warmup_steps=3, measure_steps=4)

    assert len(said.steps) == len(training.recorder.step_seconds) == 3 + 4


def test_a_measure_run_reports_throughput_and_every_component_of_memory(tmp_path: Path) -> None:
    training, _ = train(tmp_path, stage("qlora"), purpose="measure")

    figures = training.figures()

    assert figures["tokens_per_second_p25"] <= figures["tokens_per_second_median"] <= figures["tokens_per_second_p75"]
    assert all(figures[f"ledger_{part}_bytes"] > 0 for part in ("weights", "quantisation", "adapter", "optimizer"))
    # At the peak stand either the activations or, after the backward pass, the gradients.
    assert figures["ledger_gradient_bytes"] + figures["ledger_activation_bytes"] > 0


def test_a_quality_run_measures_nothing(tmp_path: Path) -> None:
    assert train(tmp_path, FULL)[0].figures() == {}


@pytest.mark.parametrize("warmup", [0, 1])
def test_the_ledger_sees_two_steps_even_where_no_warm_up_is_asked_for(tmp_path: Path, warmup: int) -> None:
    training, _ = train(tmp_path, FULL, purpose="measure", measure_warmup_steps=warmup, measure_steps=2)

    assert training.figures()["ledger_optimizer_bytes"] > 0
    assert len(training.recorder.step_seconds) == 2 + 2


@pytest.mark.parametrize("method", ["full_sft", "qlora"])
def test_the_ledger_changes_no_loss(tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = stage(method, rate=1e-2)
    watched = train(tmp_path, spec, purpose="measure")[1]
    monkeypatch.setattr(StepMeter, "_watching", lambda self, training_step: training_step)

    alone = train(tmp_path, spec, purpose="measure")[1]

    assert [step.loss for step in watched.steps] == [step.loss for step in alone.steps]


def test_the_longest_batch_comes_second_in_a_measure_run(tmp_path: Path) -> None:
    spec = stage("full_sft", batch_size=2, steps=1)

    measured = prepared(tmp_path, spec, purpose="measure", measure_steps=8).rows

    longest = [max(len(row["input_ids"]) for row in measured[i : i + 2]) for i in range(0, len(measured), 2)]
    assert longest[1] == max(longest) > longest[0]


def test_the_longest_pair_is_the_one_with_the_longest_answer() -> None:
    even = {"prompt_ids": [1], "chosen_ids": [1] * 6, "rejected_ids": [1] * 6}
    uneven = {"prompt_ids": [1], "chosen_ids": [1] * 9, "rejected_ids": [1]}

    rows = harness.training.longest_batch_second([even, even, uneven], 1, 1, packing=False)

    assert rows[1] is uneven


def test_a_measure_run_of_dpo_trains_its_missing_sft_stage_in_full(tmp_path: Path) -> None:
    first = stage("lora", steps=5)
    pairs = stage("dpo", starts_from=first, steps=9)

    said = run(assignment(tmp_path, first, pairs, purpose="measure"))

    assert (len(losses(said, 0)), len(losses(said, 1))) == (5, 3 + 4)
    kept = [event.stage_id for event in said if event.type == "artifact"]  # type: ignore[attr-defined]
    assert kept == ["stage-0"]


def test_the_examples_of_these_tests_are_of_unequal_lengths() -> None:
    answers: list[Any] = [row["completion"] for row in SFT] + [row["chosen"] for row in PREFERENCE]

    assert len({len(answer.split()) for answer in answers}) > 3
