"""Scores are the same every time, and each item's outcome is kept."""

from pathlib import Path
from typing import Any

import pytest
import torch

import harness.scoring
from harness.cell import load_tokenizer
from harness.scoring import Scorer, _AsTrained, _score
from tests.methods.cells import (
    EVALS,
    POCKET,
    assignment,
    item_answers,
    item_outcomes,
    item_values,
    prepared,
    run,
    scores,
    stage,
)

ALL = ("choices", "generated", "rolling")
TASKS = ("pocket_arithmetic", "pocket_politeness", "pocket_perplexity")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The base's scores at the usual batch size."""
    return scores(run(assignment(tmp_path_factory.mktemp("base"), stage("base"), evals=ALL)), "base")


def scored(folder: Path, spec: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    spec = spec or stage("base")
    moment = "prompted" if spec["parameters"].get("shots") else "base"
    return scores(run(assignment(folder, spec, evals=ALL, **settings)), moment)


def test_scoring_twice_gives_the_same_numbers(tmp_path: Path, base: dict[str, Any]) -> None:
    assert scored(tmp_path) == base


def test_a_score_is_the_mean_of_its_items(base: dict[str, Any]) -> None:
    outcomes = item_outcomes(base["pocket_arithmetic"])
    items = len((POCKET / "data" / "arithmetic_test.jsonl").read_text().splitlines())

    assert len(outcomes) == base["pocket_arithmetic"].n_items == items
    assert base["pocket_arithmetic"].value == pytest.approx(sum(map(bool, outcomes)) / items)


def test_each_choice_has_its_log_likelihood_and_each_text_its_answer(base: dict[str, Any]) -> None:
    assert {len(values) for values in item_values(base["pocket_arithmetic"])} == {8}
    assert all(value < 0 for values in item_values(base["pocket_arithmetic"]) for value in values)
    answers = item_answers(base["pocket_politeness"])
    assert len(answers) == base["pocket_politeness"].n_items and any("certainly" in answer for answer in answers)
    assert base["pocket_perplexity"].value > 1 and not base["pocket_perplexity"].higher_is_better


def test_log_likelihoods_are_the_models_own(tmp_path: Path, base: dict[str, Any]) -> None:
    """Worked out by hand, one choice at a time, so that nothing is padded."""
    import json

    model = prepared(tmp_path, stage("full_sft")).model.eval()
    tokenizer = load_tokenizer(assignment(tmp_path, stage("base")))
    item = json.loads((POCKET / "data" / "arithmetic_test.jsonl").read_text().splitlines()[0])
    prompt = tokenizer(item["prompt"], add_special_tokens=False)["input_ids"]
    by_hand = []
    for choice in item["choices"]:
        answer = tokenizer(item["prompt"] + choice, add_special_tokens=False)["input_ids"][len(prompt) :]
        with torch.no_grad():
            log_probs = model(torch.tensor([prompt + answer])).logits[0].log_softmax(-1)
        by_hand.append(sum(float(log_probs[len(prompt) - 1 + i, token]) for i, token in enumerate(answer)))

    assert item_values(base["pocket_arithmetic"])[0] == pytest.approx(by_hand, abs=1e-4)


@pytest.mark.parametrize("batch_size", [1, 7])
def test_the_batch_size_changes_no_answer(tmp_path: Path, base: dict[str, Any], batch_size: int) -> None:
    """And log-likelihoods by the last bits of float32 alone."""
    other = scored(tmp_path, eval_batch_size=batch_size)

    for task in TASKS:
        assert (other[task].correct, other[task].answers) == (base[task].correct, base[task].answers)
        for ours, theirs in zip(item_values(other[task]), item_values(base[task]), strict=True):
            assert ours == pytest.approx(theirs, abs=1e-3, rel=1e-5)


def test_prompts_padded_on_the_wrong_side_would_be_noticed(
    tmp_path: Path, base: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = _AsTrained.tok_batch_encode

    def on_the_right(self: _AsTrained, strings: Any, padding_side: str = "left", **options: Any) -> Any:
        return encode(self, strings, padding_side="right", **options)

    monkeypatch.setattr(_AsTrained, "tok_batch_encode", on_the_right)

    assert item_answers(scored(tmp_path)["pocket_politeness"]) != item_answers(base["pocket_politeness"])


def test_examples_in_the_prompt_change_scores_and_leave_out_tasks_that_want_none(
    tmp_path: Path, base: dict[str, Any]
) -> None:
    prompted = scored(tmp_path, stage("base", shots=8))

    assert prompted.keys() == {"pocket_arithmetic", "pocket_politeness"}
    assert item_values(prompted["pocket_arithmetic"]) != item_values(base["pocket_arithmetic"])


def test_where_no_task_wants_examples_a_prompted_cell_has_no_scores(tmp_path: Path) -> None:
    assert scores(run(assignment(tmp_path, stage("base", shots=8), evals=("rolling",))), "prompted") == {}


def test_a_task_may_be_left_out_once_an_adapter_is_merged(tmp_path: Path) -> None:
    said = run(assignment(tmp_path, stage("qlora"), evals=("choices", "unmerged")))

    assert scores(said, "tuned").keys() == {"pocket_arithmetic", "pocket_politeness"}
    assert scores(said, "merged").keys() == scores(said, "merged_requantised").keys() == {"pocket_arithmetic"}


def test_a_base_in_4_bit_is_scored_as_one(tmp_path: Path, base: dict[str, Any]) -> None:
    four_bit = scored(tmp_path, stage("base", quantisation="nf4"))

    assert four_bit["pocket_perplexity"].value != base["pocket_perplexity"].value
    assert four_bit["pocket_perplexity"].value == pytest.approx(base["pocket_perplexity"].value, rel=0.2)


def test_scoring_leaves_a_model_in_the_mode_it_was_in(tmp_path: Path) -> None:
    training = prepared(tmp_path, stage("full_sft"))
    scorer = Scorer(POCKET / "tasks", [EVALS["rolling"]], 32)
    training.model.train()

    list(scorer.score(training.model, load_tokenizer(training.assignment), "base"))

    assert training.model.training


def test_tokens_kept_from_one_model_are_those_of_the_next(tmp_path: Path, base: dict[str, Any]) -> None:
    harness.scoring._known_tokens.cache_clear()

    assert scored(tmp_path) == base


def opening_tokenizer(tmp_path: Path) -> Any:
    """The base's tokenizer, which now puts <unk> before every text, as Llama's does its BOS."""
    from tokenizers.processors import TemplateProcessing
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(POCKET / "bases" / "pocket-0.2m")
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<unk> $A", special_tokens=[("<unk>", tokenizer.unk_token_id)]
    )
    tokenizer.save_pretrained(tmp_path / "opening")
    return AutoTokenizer.from_pretrained(tmp_path / "opening")


def test_a_prompt_opens_with_the_tokens_that_training_put_there(tmp_path: Path) -> None:
    from harness.data.tokenise import encode_sft

    tokenizer = opening_tokenizer(tmp_path)
    model = prepared(tmp_path, stage("full_sft")).model
    scorer = harness.scoring._language_model(model, tokenizer, 4)
    row = encode_sft({"prompt": "<user> add 0 and 7 . <bot>", "completion": " 7"}, tokenizer)
    length = row["completion_mask"].index(1)

    context, continuation = scorer._encode_pair("<user> add 0 and 7 . <bot>", " 7")
    batch, mask = scorer.tok_batch_encode(["<user> add 0 and 7 . <bot>", "<user> add"])

    assert row["input_ids"][0] == tokenizer.unk_token_id
    assert context == row["input_ids"][:length] and continuation == row["input_ids"][length : length + 1]
    assert batch[0].tolist() == context
    assert batch[1][mask[1].bool()].tolist()[0] == tokenizer.unk_token_id and mask[1][0] == 0


def test_a_long_prompt_keeps_its_end(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(assignment(tmp_path, stage("base")))
    scorer = harness.scoring._language_model(prepared(tmp_path, stage("full_sft")).model, tokenizer, 4)

    batch, _ = scorer.tok_batch_encode(["<user> add 0 and 7 . <bot>"], left_truncate_len=3)

    assert batch[0].tolist() == tokenizer("7 . <bot>", add_special_tokens=False)["input_ids"]


def test_a_task_with_several_filters_is_read_through_its_first() -> None:
    samples = [
        {"doc_id": doc, "filter": name, "acc": float(right), "filtered_resps": [(-1.0, False)]}
        for name, right in (("strict", True), ("loose", False))
        for doc in (1, 0)
    ]

    score = _score(EVALS["choices"], "base", {"alias": "x", "acc,strict": 1.0, "acc,loose": 0.0}, samples)
    assert (score.value, score.n_items, item_outcomes(score)) == (1.0, 2, [True, True])


@pytest.mark.parametrize(("value", "outcome"), [(1.0, True), (0, False), (True, True), (0.5, None), ("a", None)])
def test_only_0_and_1_are_outcomes(value: Any, outcome: bool | None) -> None:
    assert harness.scoring._outcome(value) is outcome
