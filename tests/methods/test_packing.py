"""Packing: the examples of a forward pass in one row, and every loss and gradient as if each stood in its own."""

from pathlib import Path
from typing import Any

import pytest

from harness.events import Trained
from harness.predict.recipe import Batch
from tests.methods.cells import prepared, stage, train

ROUNDING = 2e-5  # of losses and of gradients' norms: sums in another order


def trained(folder: Path, method: str = "lora", *, packing: bool, **settings: Any) -> Trained:
    return train(folder, stage(method, batch_size=8, steps=3, rate=1e-4), packing=packing, **settings)[1]


def furthest(one: Trained, other: Trained) -> float:
    """The largest relative difference of a step's loss, or of a module's gradient in the first step."""
    pairs = [(a.loss, b.loss) for a, b in zip(one.steps, other.steps, strict=True)]
    assert one.fingerprint.keys() == other.fingerprint.keys()
    pairs += [(norm, other.fingerprint[module]) for module, norm in one.fingerprint.items()]
    return max(abs(a - b) / max(abs(a), abs(b), 1e-9) for a, b in pairs if a is not None and b is not None)


@pytest.mark.parametrize("attention", ["sdpa", pytest.param("eager", marks=pytest.mark.extended)])
@pytest.mark.parametrize("method", ["full_sft", "lora", "qlora"])
def test_a_packed_run_learns_what_a_padded_one_does(tmp_path: Path, method: str, attention: str) -> None:
    padded, packed = (trained(tmp_path, method, packing=on, attention=attention) for on in (False, True))

    assert furthest(padded, packed) < ROUNDING


@pytest.mark.parametrize(
    "way",
    [
        {"micro_batch_size": 4},
        pytest.param({"micro_batch_size": 1}, marks=pytest.mark.extended),
        {"gradient_checkpointing": True},
    ],
    ids=str,
)
def test_in_whatever_way_a_step_is_computed(tmp_path: Path, way: dict[str, Any]) -> None:
    assert furthest(trained(tmp_path, packing=False), trained(tmp_path, packing=True, **way)) < ROUNDING


def test_examples_that_attend_to_each_other_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    padded = trained(tmp_path, packing=False)
    monkeypatch.setattr("transformers.masking_utils.find_packed_sequence_indices", lambda position_ids: None)

    assert furthest(padded, trained(tmp_path, packing=True)) > 100 * ROUNDING


def test_positions_that_do_not_begin_anew_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    collate = DataCollatorForLanguageModeling.torch_call

    def going_on(self: Any, examples: Any) -> dict[str, Any]:
        batch = collate(self, examples)
        return {**batch, "position_ids": torch.arange(batch["input_ids"].shape[1])[None]}

    padded = trained(tmp_path, packing=False)
    monkeypatch.setattr(DataCollatorForLanguageModeling, "torch_call", going_on)

    assert furthest(padded, trained(tmp_path, packing=True)) > 100 * ROUNDING


def test_each_forward_pass_is_a_row_of_its_own_examples_in_order(tmp_path: Path) -> None:
    training = prepared(
        tmp_path, stage("lora", batch_size=4, steps=2), packing=True, micro_batch_size=2, purpose="measure"
    )
    trainer = training.method.trainer(training.job)

    batches = list(trainer.get_train_dataloader())

    assert [batch["input_ids"].tolist() for batch in batches] == [
        [one["input_ids"] + other["input_ids"]] for one, other in zip(*[iter(training.rows)] * 2, strict=True)
    ]
    assert all("attention_mask" not in batch for batch in batches)


def test_the_pass_with_the_most_tokens_comes_while_the_ledger_watches(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"purpose": "measure", "micro_batch_size": 2, "measure_warmup_steps": 2}
    training = prepared(tmp_path, stage("lora", batch_size=2), packing=True, **settings)

    passes = [tuple(len(row["input_ids"]) for row in pair) for pair in zip(*[iter(training.rows)] * 2, strict=True)]

    longest = passes[1]
    assert sum(longest) == max(map(sum, passes)) > min(map(sum, passes))
    assert training.batches().batches == (Batch(1, sum(longest), packed=longest),)
