"""What was asked is what ran: the built trainer is read back, and a difference fails the cell."""

from pathlib import Path
from typing import Any

import pytest

from harness.effective import Mismatch, asked_settings, check, effective_settings
from tests.methods.cells import assignment, events_of, prepared, run, stage, train, trained


def test_what_a_trainer_has_is_what_its_cell_asked_for(tmp_path: Path) -> None:
    spec = stage(
        "lora", rate=2e-3, steps=6, batch_size=8, dropout=0.1,
        optimizer={"beta2": 0.95, "epsilon": 1e-7, "weight_decay": 0.02, "schedule": "cosine", "max_grad_norm": 0.5},
    )  # fmt: skip

    found = train(tmp_path, spec, micro_batch_size=2, attention="eager", gradient_checkpointing=True)[1].effective

    assert found == found | {
        "trainable_dtypes": ["float32"], "frozen_dtypes": ["float32"], "compute": "float32", "adapter_dropout": 0.1,
        "base_dropout": 0.0, "gradient_checkpointing": True, "attention": "eager", "learning_rate": 2e-3,
        "micro_batch_size": 2, "batch_size": 8, "steps": 6, "packing": False,
        "optimizer": "adamw_torch_fused", "optimizer_class": "AdamW",
        "betas": [0.9, 0.95], "epsilon": 1e-7, "weight_decay": 0.02, "max_grad_norm": 0.5, "schedule": "cosine",
        "warmup_steps": 2, "four_bit_layers": 0, "trainer": "SFTTrainer",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("weights", "compute"), [("float32", "float32"), ("bfloat16", "bfloat16"), ("float32", "bfloat16")]
)
@pytest.mark.parametrize("method", ["full_sft", "lora", "qlora"])
def test_precision_is_read_back(tmp_path: Path, method: str, weights: str, compute: str) -> None:
    found = train(tmp_path, stage(method, precision={"weights": weights, "compute": compute}))[1].effective

    frozen = {"full_sft": [], "lora": [weights], "qlora": sorted([weights, "uint8"])}[method]
    assert (found["compute"], found["frozen_dtypes"]) == (compute, frozen)
    assert found["trainable_dtypes"] == [weights if method == "full_sft" else "float32"]
    assert found["adapter_compute"] == (None if method == "full_sft" else compute)


def test_mixed_precision_computes_in_the_lower_one(tmp_path: Path) -> None:
    """Outputs move, by no more than bfloat16's three digits; the weights stay in float32."""
    plain, mixed = (
        train(tmp_path, stage("full_sft", precision={"compute": compute}))[1].steps[0].loss or 0.0
        for compute in ("float32", "bfloat16")
    )

    assert mixed != plain
    assert mixed == pytest.approx(plain, rel=2e-2)


def test_arithmetic_finer_than_the_weights_cannot_be_had(tmp_path: Path) -> None:
    spec = stage("full_sft", precision={"weights": "bfloat16", "compute": "float32"})

    (failed,) = [e for e in events_of(assignment(tmp_path, spec)) if e.type == "failed"]  # type: ignore[attr-defined]

    assert failed.status == "crashed"  # type: ignore[attr-defined]
    assert "compute: asked for 'float32', the trainer has 'bfloat16'" in failed.reason  # type: ignore[attr-defined]


def built(folder: Path, *stages: dict[str, Any], **settings: Any) -> tuple[dict[str, Any], Any]:
    training = prepared(folder, *stages, **settings)
    asked = asked_settings(training.job)
    return asked, training.method.trainer(training.job)


def plant_dropout(trainer: Any) -> None:
    from trl.trainer.utils import disable_dropout_in_model

    disable_dropout_in_model(trainer.model)


def plant_cast(trainer: Any) -> None:
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.bfloat16()


def plant_packing(trainer: Any) -> None:
    next(
        m for m in trainer.model.modules() if hasattr(m, "support_avx512bf16_for_cpu")
    ).support_avx512bf16_for_cpu = True


FAULTS = {
    "adapter_dropout": plant_dropout,
    "trainable_dtypes": plant_cast,
    "four_bit_layers_packed": plant_packing,
    "packing": lambda trainer: setattr(trainer.data_collator, "padding_free", True),
    "gradient_checkpointing": lambda trainer: trainer.model.gradient_checkpointing_enable(),
    "compute": lambda trainer: setattr(trainer.accelerator.state, "_mixed_precision", "bf16"),
    "learning_rate": lambda trainer: setattr(trainer.args, "learning_rate", 1e-5),
    "batch_size": lambda trainer: setattr(trainer.args, "gradient_accumulation_steps", 3),
    "betas": lambda trainer: setattr(trainer.args, "adam_beta2", 0.99),
    "max_grad_norm": lambda trainer: setattr(trainer.args, "max_grad_norm", 0.3),
}


@pytest.mark.parametrize("setting", FAULTS)
def test_a_recipe_changed_in_silence_is_named(tmp_path: Path, setting: str) -> None:
    asked, trainer = built(tmp_path, stage("qlora", dropout=0.2))
    FAULTS[setting](trainer)

    with pytest.raises(Mismatch, match=f"{setting}: asked for"):
        check(effective_settings(trainer), asked)


def test_weights_that_a_trainer_froze_in_silence_are_named(tmp_path: Path) -> None:
    asked, trainer = built(tmp_path, stage("full_sft"))
    next(trainer.model.parameters()).requires_grad_(False)

    with pytest.raises(Mismatch, match=r"frozen_dtypes: asked for \[\], the trainer has \['float32'\]"):
        check(effective_settings(trainer), asked)


def test_a_trainer_that_was_left_alone_passes(tmp_path: Path) -> None:
    asked, trainer = built(tmp_path, stage("qlora", dropout=0.2))

    check(effective_settings(trainer), asked)


def test_every_difference_is_named_at_once() -> None:
    with pytest.raises(
        Mismatch, match="steps: asked for 3, the trainer has 4; seed: asked for 1, the trainer has None"
    ):
        check({"steps": 4}, {"steps": 3, "seed": 1})


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_dpo_keeps_the_dropout_of_the_adapter_it_continues(tmp_path: Path, dropout: float) -> None:
    first = stage("lora", dropout=dropout)

    said = run(assignment(tmp_path, first, stage("dpo", starts_from=first)))

    assert trained(said).effective["adapter_dropout"] == dropout


def test_dpo_with_dropout_set_to_zero_by_its_trainer_is_a_mismatch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import trl

    first = stage("lora", dropout=0.2)
    run(assignment(tmp_path, first))
    config = trl.DPOConfig
    monkeypatch.setattr(trl, "DPOConfig", lambda **options: config(**{**options, "disable_dropout": True}))

    with pytest.raises(Mismatch, match=r"adapter_dropout: asked for 0\.2, the trainer has 0\.0"):
        train(tmp_path, first, stage("dpo", starts_from=first))


def test_a_bases_own_dropout_is_told_from_the_adapters(tmp_path: Path) -> None:
    training = prepared(tmp_path, stage("lora", dropout=0.2))
    training.model.get_submodule("base_model.model.model.layers.0.self_attn").attention_dropout = 0.1

    asked = asked_settings(training.job)

    assert (asked["adapter_dropout"], asked["base_dropout"]) == (0.2, 0.1)
