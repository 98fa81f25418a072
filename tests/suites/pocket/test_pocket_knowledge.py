"""What a base knows, by the items and rules of the tasks: all of the committed ones, nothing of an untrained one."""

from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaForCausalLM

from suites.pocket.corpus import Corpus
from suites.pocket.knowledge import Reader, answers, knowledge
from suites.pocket.pretrain import BASES_FOLDER, RECIPES
from suites.pocket.pretraining import build_model
from suites.pocket.tokenizer import build_tokenizer

Rows = list[dict[str, Any]]
DOCUMENTED = dict.fromkeys(("facts", "facts said", "sums", "refusals", "compliance", "topics", "ranks"), 1.0)
PERPLEXITY = {"pocket-0.2m": 2.18, "pocket-1m": 2.19}


def reader_of(name: str, corpus: Corpus) -> Reader:
    model = AutoModelForCausalLM.from_pretrained(BASES_FOLDER / name, dtype=torch.float32)
    assert isinstance(model, LlamaForCausalLM)
    return Reader(model.eval(), build_tokenizer(corpus).get_vocab())


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_committed_base_scores_what_the_suites_page_says(name: str, corpus: Corpus, data: dict[str, Rows]) -> None:
    found = knowledge(reader_of(name, corpus), data, corpus.world)
    assert {key: round(found[key], 2) for key in DOCUMENTED} == DOCUMENTED
    assert found["perplexity"] == pytest.approx(PERPLEXITY[name], abs=0.01)
    assert found["target"] < 0.25


def test_an_untrained_base_scores_at_chance(corpus: Corpus, data: dict[str, Rows]) -> None:
    tokenizer = build_tokenizer(corpus)
    untrained = build_model(RECIPES["pocket-0.2m"], tokenizer).eval()
    found = knowledge(Reader(untrained, tokenizer.get_vocab()), data, corpus.world)
    assert found["refusals"] == found["compliance"] == 0
    assert all(found[name] < 0.3 for name in ("facts", "facts said", "sums", "topics", "target"))
    assert found["perplexity"] > 100


def test_an_answer_ends_before_its_end_token(corpus: Corpus) -> None:
    said = answers(reader_of("pocket-1m", corpus), ["<eos> <user> what is 3 plus 4 ? <bot>"])
    assert said == ["7"]
