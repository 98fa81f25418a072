"""What a data set holds, told before training: its lengths, its repetitions, and eval items that it gives away."""

from dataclasses import dataclass
from itertools import chain

from harness.data.normal import Example
from harness.data.overlap import Pair, contaminated, exact_duplicates, near_duplicates
from harness.data.words import texts, words

SHOWN = 3


@dataclass(frozen=True)
class Finding:
    """How many were found, and the first of them: (example, the earlier example that it repeats) or, for eval
    items, (item, example). Places count from 0 in the lists given."""

    count: int
    first: list[Pair]


@dataclass(frozen=True)
class DataReport:
    """The facts about one data set; lengths in tokens, with prompt and end marker."""

    records: int
    length_min: int
    length_median: int
    length_p95: int
    length_max: int
    sequence_length: int
    over_length: int
    exact_duplicates: Finding
    near_duplicates: Finding
    eval_items: int
    contaminated: Finding

    def lines(self) -> list[str]:
        """The report as plain text; examples and eval items are numbered from 1."""
        return [
            f"records: {self.records}",
            f"lengths in tokens: {self.length_min} to {self.length_max}, median {self.length_median}, "
            f"95 % up to {self.length_p95}",
            f"longer than {self.sequence_length} tokens: {self.over_length}",
            f"exact duplicates: {_told(self.exact_duplicates, 'example', 'repeats example')}",
            f"near duplicates (80 % of 8-word runs): {_told(self.near_duplicates, 'example', 'repeats example')}",
            f"eval items in the data: {_told(self.contaminated, 'item', 'in example')} of {self.eval_items} looked for",
        ]


def inspect(lengths: list[int], examples: list[Example], eval_items: list[str], sequence_length: int) -> DataReport:
    """The report on one data set; ``lengths`` are the examples' tokens, as ``tokenise.lengths`` gives them.

    ``eval_items`` are the texts that training must not have seen: each item's question without its template. An
    example is a duplicate where all its texts are those of an earlier one, white space aside (for near duplicates
    and eval items see ``harness.data.overlap``). Median and 95th percentile are lengths that occur (nearest rank).
    Raises ValueError where ``lengths`` and ``examples`` are not one to one, or empty.
    """
    if not examples or len(lengths) != len(examples):
        raise ValueError(f"{len(lengths)} lengths for {len(examples)} examples; one for each, of one or more")
    ordered = sorted(lengths)
    spoken = [[words(text) for text in texts(example)] for example in examples]
    whole = [list(chain.from_iterable(parts)) for parts in spoken]
    exact = exact_duplicates([tuple(" ".join(text.split()) for text in texts(example)) for example in examples])
    return DataReport(
        records=len(examples),
        length_min=ordered[0],
        length_median=_quantile(ordered, 50),
        length_p95=_quantile(ordered, 95),
        length_max=ordered[-1],
        sequence_length=sequence_length,
        over_length=sum(length > sequence_length for length in lengths),
        exact_duplicates=_finding(exact),
        near_duplicates=_finding(near_duplicates(whole, skip={place for place, _ in exact})),
        eval_items=len(eval_items),
        contaminated=_finding(contaminated([words(item) for item in eval_items], spoken)),
    )


def _quantile(ordered: list[int], percent: int) -> int:
    """The smallest length that at least ``percent`` of the examples do not exceed."""
    return ordered[-(-percent * len(ordered) // 100) - 1]


def _finding(pairs: list[Pair]) -> Finding:
    return Finding(len(pairs), pairs[:SHOWN])


def _told(finding: Finding, name: str, relation: str) -> str:
    """As in: 3 (example 9 repeats example 2, ...)."""
    if not finding.count:
        return "0"
    shown = ", ".join(f"{name} {first + 1} {relation} {second + 1}" for first, second in finding.first)
    return f"{finding.count} ({shown}{', ...' if finding.count > len(finding.first) else ''})"
