"""The GPU queue's matrix files, in order of value: `python -m suites.cost.gpu` writes them to gpu/.

An entry's name says what an arm's name would not: batch x length, and what else it changes.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
SHAPES, TOKENIZER = "../shapes", "../../pocket/bases/pocket-1m"
RANKS = [8, 16, 64]
BFLOAT16 = {"weights": "bfloat16", "compute": "bfloat16", "adapter": "float32"}
LIMITS = ("24GB", "48GB", "80GB")  # of the cards that most people have
LONG_STEPS = {"measure": {"warmup_steps": 2, "steps": 4}, "timeout_seconds": 300}  # of a hundred thousand tokens
COMPILING = {"timeout_seconds": 400}  # a limit is a file's: torch.compile's first time on a machine takes minutes
AMP = {"precision": {"weights": "float32", "compute": "bfloat16"}}
CHECKPOINTED = {"kernels": {"gradient_checkpointing": True}}
METHODS: dict[str, dict[str, Any]] = {
    "full_sft": {"method": "full_sft", "learning_rate": 1e-5},
    "lora": {"method": "lora", "rank": RANKS, "learning_rate": 1e-4},
    "qlora": {"method": "qlora", "rank": RANKS, "learning_rate": 1e-4},
}
# From the plainest way on, one change each: from the row above it, and from SDPA's those of the second part.
LADDER: dict[str, dict[str, Any]] = {
    "eager whole loss": {"attention": "eager", "loss": "whole"},
    "sdpa whole loss": {"attention": "sdpa", "loss": "whole"},
    "sdpa": {"attention": "sdpa"},
    "liger loss": {"loss": "liger"},
    "liger loss and layers": {"loss": "liger", "liger": True},
    "flash_attention_2": {"attention": "flash_attention_2"},
    "fused norms": {"patch": "suites.cost.norms:fused"},
    "compiled": {"compile": True},
}

Entries = dict[str, dict[str, Any]]


def matrices() -> dict[str, dict[str, Any]]:
    """Each file's name and content; names sort by value."""
    return {
        "1-7b-8b": _matrix(["llama-2-7b", "llama-3.1-8b"], _by_batch(METHODS) | _pairs()),
        "2-1b-3b": _matrix(["llama-3.2-1b", "llama-3.2-3b"], _by_batch(METHODS | _amp()) | _pairs()),
        "3-kernels": _matrix(["llama-3.2-3b", "llama-3.1-8b"], _kernels(), **COMPILING),
        "4-lengths": _matrix(["qwen2.5-0.5b", "llama-3.2-3b", "llama-3.1-8b"], _lengths()),
        "5-limits": _matrix(["llama-2-7b", "llama-3.1-8b"], _by_method(1), batch_size=1),
        "6-largest-batch": _matrix(["llama-3.2-3b", "llama-3.1-8b"], _by_method(2), **LONG_STEPS),
        "7-data": _matrix(["llama-3.2-3b"], _data()),
    }


def visits(name: str) -> list[tuple[str, ...]]:
    """The commands that a file is for, each with its options: how `scripts.gpu_matrix` goes through it."""
    if name == "5-limits":
        return [("run", "--vram", limit) for limit in LIMITS]
    return [("largest-batch",)] if name == "6-largest-batch" else [("run",)]


def queue() -> dict[str, list[str]]:
    """Each file's visits as lines: what `tunematrix publish` takes the folder to have been run by."""
    return {name: [" ".join(words) for words in visits(name)] for name in matrices()}


def _matrix(shapes: Iterable[str], entries: Entries, **other: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "suite": "cost",
        "seeds": 1,
        "keep_weights": False,
        "bases": {name: {"config": f"{SHAPES}/{name}.json", "tokenizer": TOKENIZER} for name in shapes},
        "data": {"sft": [{"file": "../data/fixed-2048.jsonl"}], "preference": [{"file": "../data/pairs-1024.jsonl"}]},
        "budget": {"steps": 1},
        "sequence_length": 2048,
        "batch_size": 2,
        "precision": BFLOAT16,
        "measure": {"warmup_steps": 3, "steps": 8},
        "timeout_seconds": 180,
        **other,
        "methods": entries,
    }


def _amp() -> Entries:
    return {"full_sft amp": {**METHODS["full_sft"], **AMP}}


def _by_batch(methods: Entries, batches: Iterable[int] = (2, 1, 8)) -> Entries:
    """Without and with checkpointing, the batch that most people compare at first."""
    return {
        f"{name} {batch} x 2048{more}": {**entry, "batch_size": batch, **settings}
        for batch in batches
        for more, settings in (("", {}), (" checkpointed", CHECKPOINTED))
        for name, entry in methods.items()
    }


def _by_method(batch: int) -> Entries:
    """Each method at one rank and one batch."""
    methods = {name: {**entry, **_one_rank(name)} for name, entry in METHODS.items()}
    return _by_batch(methods, (batch,)) | _pairs(batch, rank=16)


def _pairs(batch: int = 2, rank: int = 8) -> Entries:
    """DPO on each, at a pair of rows as long together as an example of the others."""
    start = {f"{name} {batch} x 2048": {} if name == "full_sft" else {"rank": rank} for name in METHODS}
    return {"dpo": {"starts_from": start, "learning_rate": 1e-5, "sequence_length": 1024}}


def _kernels() -> Entries:
    """A ladder for each method; what is compiled comes last, since it takes the longest to start."""
    entries = {
        f"{method}: {name}": {**METHODS[method], **_one_rank(method), "kernels": kernels}
        for method in ("lora", "qlora", "full_sft")
        for name, kernels in LADDER.items()
    }
    return dict(sorted(entries.items(), key=lambda entry: "compile" in entry[1]["kernels"]))


def _lengths() -> Entries:
    return {
        f"{method} 1 x {length}": {
            **METHODS[method],
            **_one_rank(method),
            "batch_size": 1,
            "sequence_length": length,
            "data": {"sft": [{"file": f"../data/fixed-{length}.jsonl"}]},
        }
        for method in METHODS
        for length in (512, 1024, 4096, 8192)
    }


def _data() -> Entries:
    """Lengths as real data has them: padding, or none. A batch in pieces; fewer modules; an optimizer in 8 bit."""
    mixed = {"data": {"sft": [{"file": "../data/mixed-2048.jsonl"}]}, "batch_size": 8}
    lora = {**METHODS["lora"], "rank": 16}
    return {
        "lora 8 mixed": {**lora, **mixed},
        "lora 8 mixed, 1 at a time": {**lora, **mixed, "micro_batch_size": 1},
        "lora 8 mixed packed": {**lora, **mixed, "kernels": {"packing": True}},
        "lora 8 mixed packed flash_attention_2": {
            **lora,
            **mixed,
            "kernels": {"packing": True, "attention": "flash_attention_2"},
        },
        "lora q v": {**lora, "target_modules": ["q_proj", "v_proj"]},
        "full_sft adamw_8bit": {**METHODS["full_sft"], "optimizer": {"name": "adamw_8bit"}},
        "full_sft paged_adamw_8bit": {**METHODS["full_sft"], "optimizer": {"name": "paged_adamw_8bit"}},
    }


def _one_rank(method: str) -> dict[str, Any]:
    return {} if method == "full_sft" else {"rank": 16}


def written() -> Iterator[tuple[Path, str]]:
    """Each file and its text."""
    yield HERE / "gpu" / "queue.json", json.dumps(queue(), indent=1) + "\n"
    for name, content in matrices().items():
        text = yaml.dump(content, Dumper=_Plain, sort_keys=False, default_flow_style=None, width=120)
        yield HERE / "gpu" / f"{name}.yaml", f"# Made by `python -m suites.cost.gpu`: see there.\n{text}"


class _Plain(yaml.SafeDumper):
    """Without anchors: what is the same twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def main() -> None:
    """Write them all."""
    for path, text in written():
        path.write_text(text)


if __name__ == "__main__":
    main()
