"""DPO: the reference is the SFT stage's output, in whichever of its forms."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.build import build_model
from harness.meters.memory import MemoryMeter
from harness.training import StageTraining
from tests.methods.cells import assignment, losses, prepared, results_of, run, stage, train, trained

LN_2 = math.log(2.0)
SFT_STAGES = {
    "full_sft": stage("full_sft", steps=6),
    "lora": stage("lora", rate=1e-2, steps=6),
    "qlora": stage("qlora", rate=1e-2, steps=6),
}
WAYS = {
    "full weights, precomputed": ("full_sft", {"reference": "precomputed"}, "precomputed"),
    "full weights, a model": ("full_sft", {"reference": "model"}, "model"),
    "continued adapter": ("lora", {"adapter": "continue"}, "frozen_copy"),
    "continued adapter on 4 bit": ("qlora", {"adapter": "continue"}, "frozen_copy"),
    "fresh adapter": ("lora", {"adapter": "fresh"}, "adapter_off"),
    "fresh adapter on 4 bit": ("qlora", {"adapter": "fresh"}, "adapter_off"),
}


@pytest.fixture(scope="module")
def after_sft(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """For each SFT method a folder with its stage's result."""
    folders = {method: tmp_path_factory.mktemp(method) for method in SFT_STAGES}
    for method, folder in folders.items():
        run(assignment(folder, SFT_STAGES[method]))
    return folders


def dpo(method: str, **settings: Any) -> dict[str, Any]:
    return stage("dpo", starts_from=SFT_STAGES[method], **settings)


@pytest.mark.parametrize("way", WAYS)
def test_the_loss_at_step_0_is_ln_2(after_sft: dict[str, Path], way: str) -> None:
    method, parameters, reference = WAYS[way]

    _, said = train(after_sft[method], SFT_STAGES[method], dpo(method, steps=6, **parameters))

    assert said.steps[0].loss == pytest.approx(LN_2, abs=1e-6)
    assert said.steps[-1].loss is not None and said.steps[-1].loss < LN_2 - 1e-3  # it learns, so the check can fail
    assert said.effective["reference"] == reference


@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_the_loss_at_step_0_is_ln_2_with_an_adapter_in_bfloat16(tmp_path: Path, method: str) -> None:
    precision = {"adapter": "bfloat16"}
    first = stage(method, rate=1e-2, precision=precision)
    run(assignment(tmp_path, first))

    training, said = train(tmp_path, first, stage("dpo", starts_from=first, precision=precision))

    assert said.steps[0].loss == pytest.approx(LN_2, abs=1e-6)
    adapters = {p.dtype for name, p in training.model.named_parameters() if "lora_" in name}
    assert adapters == {torch.bfloat16}  # the frozen copy too


def test_a_reference_before_sft_is_noticed(after_sft: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def base(training: StageTraining) -> Any:
        return build_model(training.assignment, 0, results={}).requires_grad_(False).eval()

    monkeypatch.setattr(StageTraining, "_load_reference", base)

    _, said = train(after_sft["full_sft"], SFT_STAGES["full_sft"], dpo("full_sft", reference="model"))

    assert said.steps[0].loss != pytest.approx(LN_2, abs=1e-3)


def test_an_adapter_switched_off_is_no_reference_for_a_continued_one(
    after_sft: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import methods.preference

    settle = methods.preference._settle_reference
    monkeypatch.setattr(methods.preference, "_settle_reference", lambda model, fresh: settle(model, fresh=True))
    training = prepared(after_sft["lora"], SFT_STAGES["lora"], dpo("lora"))

    with pytest.raises(Exception, match="reference: asked for 'frozen_copy', the trainer has 'adapter_off'"):
        training.run(MemoryMeter("cpu"))


@pytest.mark.parametrize("way", ["full weights, precomputed", "full weights, a model", "continued adapter"])
def test_the_reference_does_not_move_while_the_policy_learns(after_sft: dict[str, Path], way: str) -> None:
    method, parameters, _ = WAYS[way]
    training = prepared(after_sft[method], SFT_STAGES[method], dpo(method, steps=6, **parameters))
    trainer = training.method.trainer(training.job)
    batch = trainer.data_collator(training.rows[:4])
    before = [values.clone() for values in trainer.compute_ref_log_probs(trainer.ref_model or trainer.model, batch)]
    trainer.train()
    if parameters.get("reference") == "precomputed":
        stored = trainer.train_dataset[:4]
        after = [torch.tensor(stored[f"ref_{which}_logps"]) for which in ("chosen", "rejected")]
    else:
        after = list(trainer.compute_ref_log_probs(trainer.ref_model or trainer.model, batch))

    for earlier, later in zip(before, after, strict=True):
        assert torch.allclose(earlier, later, atol=1e-4)


def test_precomputed_log_probabilities_lie_in_the_cells_own_folder(
    after_sft: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets.config

    shared_cache = tmp_path / "cache"
    shared_cache.mkdir()
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", shared_cache)
    training = prepared(after_sft["full_sft"], SFT_STAGES["full_sft"], dpo("full_sft"))
    trainer = training.method.trainer(training.job)

    files = {Path(file["filename"]) for file in trainer.train_dataset.cache_files}

    assert "ref_chosen_logps" in trainer.train_dataset.column_names
    assert files and all(training.job.folder in file.parents for file in files)
    assert not list(shared_cache.rglob("*.arrow"))


def test_dropout_belongs_to_the_policy_and_not_to_its_reference(tmp_path: Path) -> None:
    first = stage("lora", rate=1e-2, dropout=0.3)
    run(assignment(tmp_path, first))
    training = prepared(tmp_path, first, stage("dpo", starts_from=first))
    trainer = training.method.trainer(training.job)
    batch = trainer.data_collator(training.rows[:4])
    trainer.model.train()

    readings = [trainer.compute_ref_log_probs(trainer.model, batch)[0] for _ in range(2)]

    assert torch.equal(*readings)
    assert trainer.model.training
    ids = batch["input_ids"]
    assert not torch.equal(trainer.model(ids).logits, trainer.model(ids).logits)  # the policy keeps its dropout


@pytest.mark.parametrize(
    "way",
    [
        pytest.param("full weights, precomputed", marks=pytest.mark.extended),
        pytest.param("full weights, a model", marks=pytest.mark.extended),
        "continued adapter",
    ],
)
def test_a_batch_of_4_pairs_split_in_any_way_gives_the_same_losses(after_sft: dict[str, Path], way: str) -> None:
    method, parameters, _ = WAYS[way]
    stages = SFT_STAGES[method], dpo(method, rate=1e-4, steps=4, **parameters)

    curves = [[step.loss for step in train(after_sft[method], *stages, micro_batch_size=n)[1].steps] for n in (4, 2, 1)]

    assert curves[1] == pytest.approx(curves[0], rel=2e-5)
    assert curves[2] == pytest.approx(curves[0], rel=2e-5)


def test_the_loss_is_the_published_one(after_sft: dict[str, Path]) -> None:
    """-log sigmoid(beta * ((pi - ref of the chosen) - (pi - ref of the rejected))), Rafailov et al. 2023, eq. 7."""
    stages = SFT_STAGES["full_sft"], dpo("full_sft", beta=0.3, steps=2, optimizer={"warmup_steps": 0})
    training = prepared(after_sft["full_sft"], *stages)
    reference = build_model(training.assignment, 1, results=results_of(training.assignment)).eval()
    policy = after_one_step(after_sft["full_sft"], stages)
    margins = [
        sum(
            sign * (log_probability(policy, row, answer) - log_probability(reference, row, answer))
            for sign, answer in ((1, "chosen_ids"), (-1, "rejected_ids"))
        )
        for row in training.rows[4:8]
    ]

    said = training.run(MemoryMeter("cpu"))

    expected = sum(math.log1p(math.exp(-0.3 * margin)) for margin in margins) / len(margins)
    assert expected < LN_2 - 0.01
    assert said.steps[1].loss == pytest.approx(expected, rel=1e-4)


def after_one_step(folder: Path, stages: tuple[dict[str, Any], dict[str, Any]]) -> Any:
    """The policy between the first and the second step of ``stages[1]``."""
    training = prepared(folder, *stages)
    trainer = training.method.trainer(training.job)
    kept: list[dict[str, Any]] = []
    step = trainer.training_step

    def keeping(*args: Any, **kwargs: Any) -> Any:
        kept.append({name: value.clone() for name, value in trainer.model.state_dict().items()})
        return step(*args, **kwargs)

    trainer.training_step = keeping
    trainer.train()
    trainer.model.load_state_dict(kept[1])
    return trainer.model.eval()


def log_probability(model: Any, row: dict[str, list[int]], answer: str) -> float:
    ids = torch.tensor([row["prompt_ids"] + row[answer]])
    with torch.no_grad():
        log_probs = model(ids).logits[0].log_softmax(-1)
    start = len(row["prompt_ids"]) - 1
    return float(log_probs[start:-1].gather(1, ids[0, start + 1 :, None]).sum())


def test_the_whole_cell_is_trained_scored_and_merged(tmp_path: Path) -> None:
    first = SFT_STAGES["qlora"]

    said = run(assignment(tmp_path, first, dpo("qlora"), evals=("choices",)))

    assert losses(said, 1)[0] == pytest.approx(LN_2, abs=1e-6)
    assert {e.moment for e in said if e.type == "score"} == {"tuned", "merged", "merged_requantised"}  # type: ignore[attr-defined]
    one_adapter = trained(said, 0).trainable_parameters
    assert trained(said, 1).trainable_parameters == one_adapter
    saved = json.loads((tmp_path / "artifacts" / "stage-1" / "adapter_config.json").read_text())
    assert saved["r"] == 8 and not (tmp_path / "artifacts" / "stage-1" / "ref").exists()
