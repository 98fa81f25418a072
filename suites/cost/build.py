"""Make the cost suite's data: `python -m suites.cost.build`.

Words are drawn from a seed; what they say decides nothing here, how many they are does. Each is one token of the pocket
world's tokenizer, which every shape of the suite reads: what costs is a shape's own vocabulary, which its output layer
has in full.
"""

import json
import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOKENIZER = HERE.parent / "pocket" / "bases" / "pocket-1m" / "tokenizer.json"
LENGTHS = {512: 16, 1024: 16, 2048: 16, 4096: 8, 8192: 8}  # tokens, and how many examples
PAIRS = {512: 16, 1024: 16, 2048: 16}
MIXED = 64
MEDIAN, SPREAD, SHORTEST, LONGEST = 350, 0.9, 16, 2048  # a lognormal, as instruction data sets have it, cut off
END = 1  # the token that ends an answer


def words() -> list[str]:
    """The shortest words of the vocabulary: a token each."""
    vocabulary = json.loads(TOKENIZER.read_text())["model"]["vocab"]
    return sorted(word for word in vocabulary if word.isalpha() and len(word) <= 3)


def text(known: Sequence[str], rng: random.Random, tokens: int) -> str:
    """So many tokens."""
    return " ".join(rng.choice(known) for _ in range(tokens))


def example(known: Sequence[str], rng: random.Random, tokens: int) -> dict[str, str]:
    """An example of so many tokens, a quarter of them the prompt's."""
    asked = max(1, tokens // 4)
    return {"prompt": text(known, rng, asked), "completion": " " + text(known, rng, tokens - asked - END)}


def pair(known: Sequence[str], rng: random.Random, tokens: int) -> dict[str, str]:
    """A preference pair, each answer with its prompt of so many tokens."""
    asked = tokens // 2
    answers = {name: " " + text(known, rng, tokens - asked - END) for name in ("chosen", "rejected")}
    return {"prompt": text(known, rng, asked), **answers}


def mixed_lengths(rng: random.Random) -> list[int]:
    """Lengths as real instruction data has them: most are short, a few are long."""
    drawn = (round(rng.lognormvariate(math.log(MEDIAN), SPREAD)) for _ in range(MIXED - 1))
    return [LONGEST, *(min(LONGEST, max(SHORTEST, length)) for length in drawn)]


def data_files() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Each file's name and its records."""
    known = words()
    for length, count in LENGTHS.items():
        rng = random.Random(length)
        yield f"fixed-{length}.jsonl", [example(known, rng, length) for _ in range(count)]
    for length, count in PAIRS.items():
        rng = random.Random(-length)
        yield f"pairs-{length}.jsonl", [pair(known, rng, length) for _ in range(count)]
    rng = random.Random(0)
    yield "mixed-2048.jsonl", [example(known, rng, length) for length in mixed_lengths(rng)]


def main() -> None:
    """Write them all."""
    (HERE / "data").mkdir(exist_ok=True)
    for name, records in data_files():
        (HERE / "data" / name).write_text("".join(json.dumps(record) + "\n" for record in records))


if __name__ == "__main__":
    main()
