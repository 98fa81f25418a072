"""Batches of pretraining: each follows from its step alone, whoever makes it and whenever."""

from collections.abc import Iterator, Sequence

import torch
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

from suites.pocket import words
from suites.pocket.corpus import Corpus
from suites.pocket.recipe import MAX_POSITIONS, BaseRecipe

Batch = dict[str, torch.Tensor]
IGNORED = -100


class Batches(Dataset[Batch]):
    """The batch of each step: token ids and labels, each (rows, longest row)."""

    def __init__(self, recipe: BaseRecipe, corpus: Corpus, vocabulary: dict[str, int]) -> None:
        self.recipe, self.corpus, self.vocabulary = recipe, corpus, vocabulary

    def __len__(self) -> int:
        return self.recipe.steps

    def __getitem__(self, step: int) -> Batch:
        return encoded(self.rows(step), self.vocabulary)

    def rows(self, step: int) -> list[str]:
        """The text of a step."""
        if self.recipe.is_packed(step):
            return self.corpus.packed_rows(step, self.recipe.packed_rows, MAX_POSITIONS)
        return self.corpus.rows(step, self.recipe.rows_per_step)

    def from_step(self, first: int, workers: int) -> Iterator[Batch]:
        """The batches from a step on, made ahead by so many processes (none: when they are asked for)."""
        ahead = 2 if workers else None  # what waits lies in shared memory, of which a container has little
        steps = range(first, len(self))
        return iter(DataLoader(self, batch_size=None, sampler=steps, num_workers=workers, prefetch_factor=ahead))


def encoded(rows: Sequence[str], vocabulary: dict[str, int]) -> Batch:
    """Rows as the tokenizer gives them, which takes ten times as long: a word a token, padded on the right, where
    causal attention needs no mask."""
    ids = [torch.tensor([vocabulary[word] for word in row.split()]) for row in rows]
    input_ids = pad_sequence(ids, batch_first=True, padding_value=vocabulary[words.PAD])
    return {"input_ids": input_ids, "labels": pad_sequence(ids, batch_first=True, padding_value=IGNORED)}
