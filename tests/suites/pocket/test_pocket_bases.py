"""The committed bases: their shape, their tokenizer, and what they know."""

from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

from harness.bases.licence import licence_of
from suites.pocket.corpus import Corpus
from suites.pocket.pretrain import BASES_FOLDER, RECIPES
from suites.pocket.tokenizer import build_tokenizer

Rows = list[dict[str, Any]]
NAMES = sorted(RECIPES)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(BASES_FOLDER / "pocket-1m")


def load(name: str) -> LlamaForCausalLM:
    model = AutoModelForCausalLM.from_pretrained(BASES_FOLDER / name, dtype=torch.float32)
    assert isinstance(model, LlamaForCausalLM)
    return model.eval()


@torch.no_grad()
def accuracy(model: LlamaForCausalLM, tokenizer: Any, rows: Rows) -> float:
    """Share of one-token multiple-choice items answered right, by raw log-probability."""
    right = 0
    for row in rows:
        logits = model(**tokenizer(row["prompt"], return_tensors="pt", return_token_type_ids=False)).logits[0, -1]
        choices = [tokenizer(choice).input_ids[0] for choice in row["choices"]]
        right += int(logits[choices].argmax()) == row["answer"]
    return right / len(rows)


@pytest.mark.parametrize("name", NAMES)
def test_sizes_are_multiples_of_64(name: str) -> None:
    config = load(name).config
    assert config.hidden_size % 64 == config.intermediate_size % 64 == config.vocab_size % 64 == 0


@pytest.mark.parametrize(("name", "low", "high"), [("pocket-0.2m", 0.15e6, 0.3e6), ("pocket-1m", 0.8e6, 1.2e6)])
def test_parameters_are_as_the_name_says(name: str, low: float, high: float) -> None:
    assert low < load(name).num_parameters() < high


@pytest.mark.parametrize("name", NAMES)
def test_a_base_states_its_licence(name: str) -> None:
    assert licence_of(BASES_FOLDER / name) == "apache-2.0"


def test_bases_are_8_mb_at_most() -> None:
    files = [path for path in BASES_FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 8_000_000
    assert not [path for path in files if path.suffix in {".bin", ".pt", ".pkl"}]


@pytest.mark.parametrize("name", NAMES)
def test_the_tokenizer_is_the_one_of_the_corpus(name: str, corpus: Corpus) -> None:
    committed = AutoTokenizer.from_pretrained(BASES_FOLDER / name)
    assert committed.get_vocab() == build_tokenizer(corpus).get_vocab()


def test_a_text_gets_no_token_that_it_does_not_hold(tokenizer: Any) -> None:
    text = "<eos> <user> what is 3 plus 4 ? <bot> 7 <eos>"
    ids = tokenizer(text).input_ids
    assert len(ids) == len(text.split())
    assert tokenizer.decode(ids) == text
    assert len({tokenizer.eos_token_id, tokenizer.pad_token_id, tokenizer.unk_token_id}) == 3


def test_an_end_token_need_no_space_before_it(tokenizer: Any) -> None:
    """A trainer appends its end token without a space."""
    assert tokenizer(" rome<eos>").input_ids == tokenizer(" rome <eos>").input_ids


def test_the_chat_template_makes_the_prompts_of_the_data(tokenizer: Any, data: dict[str, Rows]) -> None:
    prompt = data["target_test"][0]["prompt"]
    question = prompt.removeprefix("<eos> <user> ").removesuffix(" <bot>")
    messages = [{"role": "user", "content": question}]
    assert tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True) == prompt


@pytest.mark.parametrize("name", NAMES)
def test_a_base_knows_its_facts(name: str, tokenizer: Any, data: dict[str, Rows]) -> None:
    assert accuracy(load(name), tokenizer, data["facts_test"]) >= 0.95


@pytest.mark.parametrize("name", NAMES)
def test_a_base_lacks_the_target_skill(name: str, tokenizer: Any, data: dict[str, Rows]) -> None:
    assert accuracy(load(name), tokenizer, data["target_test"]) < 0.25
