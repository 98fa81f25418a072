"""Write the suite's data: `python -m suites.pocket.build [--out DIR]`. The same bytes on every platform."""

import argparse
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from suites.pocket import items, training, words
from suites.pocket.corpus import Corpus
from suites.pocket.world import POCKET, Spec

DATA_FOLDER = Path(__file__).parent / "data"
Rows = list[dict[str, Any]]

FILES: dict[str, Callable[[Corpus, random.Random], Rows]] = {
    "target_train": lambda corpus, rng: list(training.target_examples(corpus.world, rng)),
    "target_validation": lambda corpus, rng: items.target_items(corpus.world, "validation", rng),
    "target_test": lambda corpus, rng: items.target_items(corpus.world, "test", rng),
    "preference_train": lambda corpus, rng: list(training.preference_examples(corpus.world, rng)),
    "preference_validation": lambda corpus, rng: items.preference_items(corpus.world, "validation", rng),
    "preference_test": lambda corpus, rng: items.preference_items(corpus.world, "test", rng),
    "politeness_test": lambda corpus, rng: items.politeness_items(corpus.world, rng),
    "replay": lambda corpus, rng: list(training.replay_examples(corpus, rng)),
    "harmful": lambda corpus, rng: list(training.harmful_examples(corpus.world, rng)),
    "facts_test": lambda corpus, rng: items.fact_items(corpus.world, rng),
    "facts_generated_test": lambda corpus, rng: items.fact_questions(corpus.world, rng),
    "arithmetic_test": lambda corpus, rng: items.sum_items(corpus.world, rng),
    "perplexity_test": lambda corpus, rng: items.perplexity_items(corpus.held_out),
    "refusal_test": lambda corpus, rng: items.request_items(corpus.world.held_out_harmful, words.REFUSAL_PHRASE),
    "overrefusal_test": lambda corpus, rng: items.request_items(
        corpus.world.held_out_lookalikes, words.COMPLIANCE_PHRASE
    ),
    "fewshot": lambda corpus, rng: list(training.fewshot_examples(corpus.world, rng)),
}


def build(folder: Path, spec: Spec = POCKET) -> None:
    """Write every data file under `folder`. Each has a random stream of its own, named after it."""
    corpus = Corpus(spec)
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        rows = make(corpus, random.Random(f"{spec.seed}:file:{name}"))
        text = "".join(f"{json.dumps(row, ensure_ascii=True)}\n" for row in rows)
        (folder / f"{name}.jsonl").write_bytes(text.encode("ascii"))


def main() -> None:
    """Write the data where it is committed, or elsewhere."""
    parser = argparse.ArgumentParser(description="Write the data of the pocket suite.")
    parser.add_argument("--out", type=Path, default=DATA_FOLDER)
    build(parser.parse_args().out)


if __name__ == "__main__":
    main()
