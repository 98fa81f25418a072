"""SFT: the loss is on the answer's tokens and its end token, whatever way a batch is split."""

from pathlib import Path
from typing import Any

import pytest
import torch

import methods.sft
from harness.cell import load_tokenizer
from harness.data.tokenise import encode_sft
from harness.loading import load_model
from harness.meters.memory import MemoryMeter
from tests.methods.cells import FLOAT32, SFT, SMALL, assignment, losses, prepared, run, stage, train

SLOW_RATE = 1e-4


def loss_by_hand(rows: list[dict[str, list[int]]], eos: bool = True) -> float:
    """Mean cross-entropy of the answers' tokens, one example at a time, so that nothing is padded."""
    model = load_model(SMALL, precision=FLOAT32, attention="sdpa", device="cpu", quantisation=None)
    total, count = 0.0, 0
    for row in rows:
        ids, learned = torch.tensor([row["input_ids"]]), torch.tensor(row["completion_mask"], dtype=torch.bool)
        if not eos:
            learned[-1] = False
        with torch.no_grad():
            log_probs = model(ids).logits[0].log_softmax(-1)
        picked = log_probs[:-1].gather(1, ids[0, 1:, None])[:, 0][learned[1:]]
        total, count = total - float(picked.sum()), count + len(picked)
    return total / count


@pytest.fixture
def first_batch(tmp_path: Path) -> list[dict[str, list[int]]]:
    """The rows of the first step of a stage of batches of 8, in the order in which it sees them."""
    return prepared(tmp_path, stage("full_sft", batch_size=8, steps=1)).rows


def first_loss(folder: Path) -> float:
    loss = losses(run(assignment(folder, stage("full_sft", batch_size=8, steps=1))))[0]
    assert loss is not None
    return loss


def test_the_loss_is_the_mean_over_the_answers_tokens_of_the_whole_batch(tmp_path: Path, first_batch: Any) -> None:
    assert first_loss(tmp_path) == pytest.approx(loss_by_hand(first_batch), rel=1e-5)


def test_the_end_token_is_learned(tmp_path: Path, first_batch: Any) -> None:
    eos = load_tokenizer(assignment(tmp_path, stage("full_sft"))).eos_token_id

    assert all(row["input_ids"][-1] == eos and row["completion_mask"][-1] == 1 for row in first_batch)
    assert first_loss(tmp_path) != pytest.approx(loss_by_hand(first_batch, eos=False), rel=1e-2)


def test_a_shifted_target_is_noticed(tmp_path: Path, first_batch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = methods.sft._labels
    monkeypatch.setattr(methods.sft, "_labels", lambda row: [*labels(row)[1:], methods.sft.IGNORED])

    assert first_loss(tmp_path) != pytest.approx(loss_by_hand(first_batch), rel=1e-2)


def test_a_loss_on_the_prompt_is_noticed(tmp_path: Path, first_batch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods.sft, "_labels", lambda row: row["input_ids"])

    assert first_loss(tmp_path) != pytest.approx(loss_by_hand(first_batch), rel=1e-2)


@pytest.mark.parametrize("method", ["full_sft", "lora", "qlora"])
def test_a_batch_of_8_split_in_any_way_gives_the_same_losses_and_weights(tmp_path: Path, method: str) -> None:
    spec = stage(method, batch_size=8, steps=4, rate=SLOW_RATE)
    ways = {size: train(tmp_path, spec, micro_batch_size=size) for size in (8, 4, 1)}
    whole, said = ways[8]
    trained = {name: p.detach().clone() for name, p in whole.model.named_parameters() if p.requires_grad}

    for size in (4, 1):
        other, told = ways[size]
        assert [s.loss for s in told.steps] == pytest.approx([s.loss for s in said.steps], rel=2e-5)
        for name, parameter in other.model.named_parameters():
            if name in trained:  # Adam turns the last bits of a gradient near 0 into a whole step
                difference = (parameter - trained[name]).abs()
                assert difference.mean() < 0.01 * SLOW_RATE, name


def test_a_loss_averaged_by_micro_batch_would_be_noticed(tmp_path: Path) -> None:
    rows = prepared(tmp_path, stage("full_sft", batch_size=8, steps=1)).rows
    whole = loss_by_hand(rows)

    by_micro_batch = sum(loss_by_hand([row]) for row in rows) / len(rows)

    assert by_micro_batch != pytest.approx(whole, rel=1e-2)


def test_examples_are_seen_in_the_order_of_the_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = prepared(tmp_path, stage("full_sft", batch_size=4, steps=4), micro_batch_size=2)
    seen: list[list[int]] = []
    build = training.method.trainer

    def watched(job: Any) -> Any:
        trainer = build(job)
        step = trainer.training_step

        def noting(model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            for ids, mask in zip(inputs["input_ids"], inputs["attention_mask"], strict=True):
                seen.append(ids[mask.bool()].tolist())
            return step(model, inputs, *args, **kwargs)

        trainer.training_step = noting
        return trainer

    monkeypatch.setattr(training.method, "trainer", watched, raising=False)
    training.run(MemoryMeter("cpu"))

    assert seen == [row["input_ids"] for row in training.rows]


def test_every_method_sees_the_same_examples_in_the_same_order(tmp_path: Path) -> None:
    orders = {
        method: train(tmp_path, stage(method, seed=3))[1].order_digest for method in ("full_sft", "lora", "qlora")
    }

    assert len(set(orders.values())) == 1
    assert train(tmp_path, stage("lora", seed=4))[1].order_digest not in orders.values()


def test_the_rows_begin_with_the_prompts_own_tokens(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(assignment(tmp_path, stage("full_sft")))
    row = encode_sft(SFT[0], tokenizer)

    assert row["input_ids"][: row["completion_mask"].index(1)] == tokenizer(SFT[0]["prompt"])["input_ids"]
