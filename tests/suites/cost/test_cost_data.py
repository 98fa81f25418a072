"""The cost suite's files are what its builders make, and hold what their names say."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from harness.analysis.differing import differing
from harness.matrix import load_matrix
from harness.settings import Kernels
from suites.cost.build import END, HERE, LENGTHS, LONGEST, MIXED, PAIRS, TOKENIZER, data_files
from suites.cost.gpu import LADDER, matrices, written

FILES = dict(data_files())


@pytest.mark.parametrize("name", FILES)
def test_data_are_what_is_drawn(name: str) -> None:
    lines = (HERE / "data" / name).read_text().splitlines()
    assert [json.loads(line) for line in lines] == FILES[name]


def lengths(name: str) -> Iterator[int]:
    """Tokens of each answer with its prompt and its end."""
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    for record in FILES[name]:
        for key in record.keys() - {"prompt"}:
            yield len(tokenizer.encode(record["prompt"] + record[key]).ids) + END


@pytest.mark.parametrize("length", LENGTHS)
def test_a_fixed_length_is_that_of_every_example(length: int) -> None:
    assert list(lengths(f"fixed-{length}.jsonl")) == [length] * LENGTHS[length]


@pytest.mark.parametrize("length", PAIRS)
def test_both_rows_of_a_pair_are_as_long(length: int) -> None:
    assert list(lengths(f"pairs-{length}.jsonl")) == [length] * (2 * PAIRS[length])


def test_mixed_lengths_are_mostly_short_and_the_longest_fills_the_sequence() -> None:
    found = sorted(lengths("mixed-2048.jsonl"))
    assert len(found) == MIXED
    assert found[-1] == LONGEST
    assert found[MIXED // 2] < LONGEST / 4


def test_the_gpu_queues_files_are_what_is_made() -> None:
    assert {path: path.read_text() for path in (HERE / "gpu").iterdir()} == dict(written())


@pytest.mark.parametrize("path", [HERE / "matrix.yaml", *sorted((HERE / "gpu").glob("*.yaml"))], ids=lambda p: p.stem)
def test_each_matrix_is_sound_and_every_arm_has_a_name_of_its_own(path: Path) -> None:
    matrix = load_matrix(path)
    names = [(variant.base, variant.label, variant.rank, variant.parent) for variant in matrix.variants]
    assert matrix.header.suite == "cost" and not matrix.header.evals and not matrix.header.keep_weights
    assert len(set(names)) == len(names)


def climbed_by_one_change(ways: Sequence[Mapping[str, Any]]) -> bool:
    """Does each differ in one setting from one above it?"""
    return all(min(len(differing(way, above)) for above in ways[:n]) == 1 for n, way in enumerate(ways) if n)


def test_each_rung_of_the_gpus_ladder_is_one_change_from_one_above_it() -> None:
    assert climbed_by_one_change([Kernels(**kernels).model_dump() for kernels in LADDER.values()])


def test_so_is_each_of_the_small_shapes() -> None:
    variants = load_matrix(HERE / "matrix.yaml").variants
    alike = [
        v for v in variants
        if (v.base, v.method, v.rank, v.settings.sequence_length) == ("small-llama", "lora", 8, 512)
        and v.parameters.target_modules == "all-linear"  # type: ignore[attr-defined]
    ]  # fmt: skip
    by_label = {v.label: {**v.settings.kernels.model_dump(), "micro": v.settings.micro_batch_size} for v in alike}
    top = ["lora eager whole loss", "lora whole loss", "lora"]

    assert climbed_by_one_change([*(by_label.pop(label) for label in top), *by_label.values()])
    assert set(by_label) == {"lora checkpointed", "lora compiled", "lora fused norms", "lora 2 x 1"}


def test_what_is_compiled_runs_last_and_has_time_for_a_cold_compiler() -> None:
    kernels = load_matrix(HERE / "gpu" / "3-kernels.yaml")
    compiled = [variant.settings.kernels.compile for variant in kernels.variants]
    assert compiled == sorted(compiled)
    assert any(compiled)
    assert kernels.header.timeout_seconds == 400


def test_the_most_telling_come_first() -> None:
    first, *_ = sorted(matrices())
    assert list(matrices()[first]["bases"]) == ["llama-2-7b", "llama-3.1-8b"]
