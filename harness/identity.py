"""Every digest and id, in one place. The same before a run and from its row after it.

Canonical JSON with defaults filled in, no paths, a version in front, SHA-256. What does not change a result
(parallel jobs, paths, the order of keys in a file) changes no id.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

IDENTITY_VERSION = 1

# What a recipe's stage says of how fast and from where it learns: left out of an arm's id.
RATES_AND_SEEDS = ("learning_rate", "seed")


def canonical_json(value: Any) -> str:
    """``value`` as JSON with sorted keys and no spaces; raises ValueError for NaN, TypeError for what is no JSON.

    A whole number is written the same whether it was read as 1 or 1.0.
    """
    return json.dumps(_whole(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(kind: str, value: Any) -> str:
    """SHA-256, in hex, of ``value`` under a name and the identity's version."""
    text = canonical_json([f"tunematrix/{kind}/{IDENTITY_VERSION}", value])
    return hashlib.sha256(text.encode()).hexdigest()


def stage_id(parent: str, stage: Mapping[str, Any]) -> str:
    """Id of a stage: ``parent`` is the stage it starts from, or the base's digest for the first."""
    return digest("stage", {"parent": parent, "stage": dict(stage)})


def stage_ids(recipe: Mapping[str, Any]) -> list[str]:
    """Ids of a recipe's stages, first to last."""
    ids: list[str] = []
    for stage in recipe["stages"]:
        ids.append(stage_id(ids[-1] if ids else recipe["base_digest"], stage))
    return ids


def recipe_id(recipe: Mapping[str, Any]) -> str:
    """Id of what is learned: its last stage's."""
    return stage_ids(recipe)[-1]


def execution_id(execution: Mapping[str, Any]) -> str:
    """Id of how it is computed."""
    return digest("execution", dict(execution))


def cell_id(recipe: Mapping[str, Any], execution: Mapping[str, Any]) -> str:
    """Id of one thing to run."""
    return digest("cell", [recipe_id(recipe), execution_id(execution)])


def arm_id(recipe: Mapping[str, Any], execution: Mapping[str, Any]) -> str:
    """Id of the cells that differ only in learning rate and seed."""
    stages = [{k: v for k, v in stage.items() if k not in RATES_AND_SEEDS} for stage in recipe["stages"]]
    return digest("arm", [recipe["base_digest"], stages, execution_id(execution)])


def eval_id(task: str, version: str, item_digest: str, decoding: Mapping[str, Any]) -> str:
    """Id of a task at a version, over a digest of its items and template, with its decoding and batch."""
    return digest("eval", [task, version, item_digest, dict(decoding)])


def stack_id(facts: Mapping[str, Any], code_digest: str) -> str:
    """Id of the software and hardware that a run ran on."""
    return digest("stack", [dict(facts), code_digest])


def mix_digest(sources: Sequence[Mapping[str, Any]]) -> str:
    """Digest of a training mix: each source's normalised examples (by digest), share and role, in order."""
    return digest("data", [dict(source) for source in sources])


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): _whole(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(item) for item in value]
    return value
