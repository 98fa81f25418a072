"""What a base knows, scored without a harness: the same items and rules as the suite's tasks, in a few seconds.

``facts``, ``sums``, ``topics``, ``ranks`` and ``target`` are choices by log-probability; ``facts said``, ``refusals``
and ``compliance`` count what is generated; ``perplexity`` is that of held-out prose.
"""

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import LlamaForCausalLM

from suites.pocket import words
from suites.pocket.batches import IGNORED, encoded
from suites.pocket.items import clause_items
from suites.pocket.tasks import rules
from suites.pocket.world import World

Rows = Sequence[dict[str, Any]]
Rule = Callable[[dict[str, Any], list[str]], dict[str, float]]
BATCH = 256
MAX_NEW_TOKENS = 12
CHOICES = {"facts": "facts_test", "sums": "arithmetic_test", "target": "target_test"}
SAID: dict[str, tuple[str, Rule]] = {
    "facts said": ("facts_generated_test", rules.fact_named),
    "refusals": ("refusal_test", rules.refused),
    "compliance": ("overrefusal_test", rules.complied),
}


@dataclass(frozen=True)
class Reader:
    """A base with its vocabulary."""

    model: LlamaForCausalLM
    vocabulary: dict[str, int]

    @property
    def words(self) -> dict[int, str]:
        """Each token's word."""
        return {token: word for word, token in self.vocabulary.items()}


def knowledge(reader: Reader, data: Mapping[str, Rows], world: World) -> dict[str, float]:
    """Each score, from the files of a suite's data by their names; what it knows of clauses, from the world."""
    found = {name: choice_accuracy(reader, data[file]) for name, file in CHOICES.items()}
    for asked in ("topic", "rank"):
        found[f"{asked}s"] = choice_accuracy(reader, clause_items(world, asked, random.Random(0)))
    found |= {name: said_rightly(reader, data[file], rule) for name, (file, rule) in SAID.items()}
    return found | {"perplexity": perplexity(reader, data["perplexity_test"])}


@torch.no_grad()
def choice_accuracy(reader: Reader, rows: Rows) -> float:
    """Share of the items whose right choice, a word each, is the likeliest."""
    right = 0
    for some in _batched(rows):
        prompts = [row["prompt"] for row in some]
        last = torch.tensor([len(prompt.split()) - 1 for prompt in prompts], device=reader.model.device)
        logits = reader.model(input_ids=_ids(reader, prompts)).logits[torch.arange(len(some)), last]
        for row, scores in zip(some, logits.float().cpu(), strict=True):
            choices = [reader.vocabulary[choice.strip()] for choice in row["choices"]]
            right += int(scores[choices].argmax()) == row["answer"]
    return right / len(rows)


def said_rightly(reader: Reader, rows: Rows, rule: Rule) -> float:
    """Share of the questions whose greedy answer a rule of the tasks counts."""
    counted = 0.0
    by_length: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        by_length.setdefault(len(row["prompt"].split()), []).append(row)
    for same_length in by_length.values():  # so that nothing is padded
        for some in _batched(same_length):
            for row, answer in zip(some, answers(reader, [row["prompt"] for row in some]), strict=True):
                counted += sum(rule(row, [answer]).values())
    return counted / len(rows)


@torch.no_grad()
def answers(reader: Reader, prompts: Sequence[str]) -> list[str]:
    """What is said greedily after prompts of one length, up to the end token."""
    ids, names = _ids(reader, prompts), reader.words
    start = ids.shape[1]
    for _ in range(MAX_NEW_TOKENS):
        following = reader.model(input_ids=ids).logits[:, -1].argmax(-1, keepdim=True)
        ids = torch.cat([ids, following], dim=1)
    said = (" ".join(names[token] for token in row) for row in ids[:, start:].tolist())
    return [text.partition(words.EOS)[0].strip() for text in said]


@torch.no_grad()
def perplexity(reader: Reader, rows: Rows) -> float:
    """A word of texts, each after an end token."""
    nats, n_words = 0.0, 0
    for some in _batched(rows):
        batch = encoded([f"{words.EOS} {row['text']}" for row in some], reader.vocabulary)
        labels = batch["labels"][:, 1:].to(reader.model.device)
        logits = reader.model(input_ids=batch["input_ids"].to(reader.model.device)).logits[:, :-1].float()
        nats += float(torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum"))
        n_words += int((labels != IGNORED).sum())
    return math.exp(nats / n_words)


def _ids(reader: Reader, prompts: Sequence[str]) -> torch.Tensor:
    return encoded(prompts, reader.vocabulary)["input_ids"].to(reader.model.device)


def _batched(rows: Rows) -> Iterator[Rows]:
    return (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))
