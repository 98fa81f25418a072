"""A configuration of peft's method comparison as a recipe, an execution and a decoding, so that ids match by it.

An experiment's name is no part of any id: names changed spelling. Neither is what only says where or by what it was
run (commits, versions): that belongs to the stack. And a newer peft writes options that an older one did not have:

    an option is left out of the configuration where it is off: null, false, or an empty list or mapping;
    ``LATER`` and ``LATER_IN_TRAINING`` name the options that came later and are not off by default, with the value
    at which they change nothing.

So a file that lacks an option and one that has it at its default are the same configuration. Settings of the optimizer
are kept as they are: there an absent weight decay is PyTorch's own and a zero is none.
"""

from collections.abc import Mapping
from typing import Any

from harness import identity
from harness.foreign.peft_files import PeftConfig, Result

Config = dict[str, Any]

# Says whose a configuration is, not what is learned.
BOOKKEEPING = ("auto_mapping", "base_model_name_or_path", "inference_mode", "peft_version", "revision", "task_type")
LATER = {"qalora_group_size": 16, "miss_dropout": 0.0, "mini_r": 1}
LATER_IN_TRAINING = {"autocast_adapter_dtype": True, "optimizer_type": "AdamW"}
# AdaLoRA writes the ranks that it found into the configuration that it was given.
OUTCOMES = {"ADALORA": ("rank_pattern",)}
# Bone was renamed in peft 0.17; its checkpoints are converted by renaming their tensors.
RENAMED = {"BONE": "MISS"}

EXECUTION = ("compile", "use_gc", "attn_implementation")
EVALUATION = ("batch_size_eval", "eval_steps", "generation_kwargs")


def base_digest(result: Result) -> str:
    """Of the base model: its name and its commit, for its tensors are not there to be read."""
    return identity.digest(
        "base", {"id": result.run_info.train_config.model_id, "sha": result.meta_info.model_info.sha}
    )


def method(result: Result) -> str:
    """``full_sft``, or peft's own name of the method in lower case."""
    config = result.run_info.peft_config
    return "full_sft" if config is None else _peft_type(config).lower()


def rank(result: Result) -> int | None:
    """The adapter's rank, AdaLoRA's being the mean rank that it prunes to; None where a method has none."""
    config = _options(result.run_info.peft_config)
    value = config.get("target_r", config.get("r"))
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31 else None


def learning_rate(result: Result) -> float | None:
    """The optimizer's; None where it is the optimizer's own default."""
    value = result.run_info.train_config.optimizer_kwargs.get("lr")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def recipe(result: Result) -> Config:
    """What is learned, as ``harness.identity`` takes it."""
    train = result.run_info.train_config.model_dump()
    kept = {key: value for key, value in train.items() if key not in (*EXECUTION, *EVALUATION, "model_id", "seed")}
    optimizer = {key: value for key, value in kept.pop("optimizer_kwargs").items() if key != "lr"}
    stage = {
        "kind": "sft",
        "method": method(result),
        "parameters": _parameters(result.run_info.peft_config),
        "data_digest": identity.digest("data", "meta-math/MetaMathQA, texts of up to 1300 characters"),
        "training": settled(kept, LATER_IN_TRAINING),
        "optimizer": optimizer,
        "learning_rate": learning_rate(result),
        "seed": result.run_info.train_config.seed,
    }
    return {"base_digest": base_digest(result), "stages": [stage]}


def execution(result: Result) -> Config:
    """How it is computed."""
    train = result.run_info.train_config.model_dump()
    return {
        "compile": bool(train.get("compile")),
        "gradient_checkpointing": bool(train.get("use_gc")),
        "attention": train.get("attn_implementation"),
    }


def decoding(result: Result) -> Config:
    """How answers are drawn: part of the id of an eval."""
    train = result.run_info.train_config.model_dump()
    given = train.get("generation_kwargs") or {}
    return {
        "generation_kwargs": {key: value for key, value in given.items() if value is not None},
        "template": train["query_template"],
        "longest_prompt": train.get("max_seq_length"),
        "batch_size": train.get("batch_size_eval"),
    }


def settled(options: Mapping[str, Any], later: Mapping[str, Any]) -> Config:
    """``options`` without those that are off, or at the value of ``later`` at which they change nothing.

    Names are sorted: peft writes sets of them, in any order.
    """
    named = {key: _settled_value(value) for key, value in options.items()}
    return {key: value for key, value in named.items() if not _changes_nothing(key, value, later)}


def _changes_nothing(key: str, value: Any, later: Mapping[str, Any]) -> bool:
    if key in later:
        return bool(value == later[key])
    return value is None or value is False or value in ([], {})


def _settled_value(value: Any) -> Any:
    if isinstance(value, dict):
        return settled(value, {})
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return sorted(value)
    return value


def _parameters(config: PeftConfig | None) -> Config:
    outcomes = OUTCOMES.get(config.peft_type, ()) if config else ()
    left_out = ("peft_type", *BOOKKEEPING, *outcomes)
    return settled({key: value for key, value in _options(config).items() if key not in left_out}, LATER)


def _options(config: PeftConfig | None) -> Config:
    return config.model_dump() if config else {}


def _peft_type(config: PeftConfig) -> str:
    return RENAMED.get(config.peft_type, config.peft_type)
