"""An arm's recipe in a few words each, as it is stored."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

NONE = "none"


def told(recipes: "pd.Series[Any]") -> pd.DataFrame:
    """A row a recipe (``arm_id``): what its last stage does, as text. ``told_rank, alpha, targets`` of the adapter that
    is trained; ``steps, batch, precision``; what a recipe does not have is none."""
    rows = [{"arm_id": arm_id, **_facts(recipe["stages"])} for arm_id, recipe in recipes.items()]
    return pd.DataFrame(rows, columns=["arm_id", "told_rank", "alpha", "targets", "steps", "batch", "precision"])


def _facts(stages: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    own, adapter = stages[-1], _adapter(stages)
    targets = adapter.get("target_modules")
    facts = {
        "told_rank": adapter.get("rank"),
        "alpha": _alpha(adapter),
        "targets": targets if targets is None or isinstance(targets, str) else ", ".join(map(str, targets)),
        "steps": own.get("steps"),
        "batch": own.get("batch_size"),
        "precision": ", ".join(f"{what} {kind}" for what, kind in (own.get("precision") or {}).items()) or None,
    }
    return {name: NONE if fact is None else f"{fact:g}" if isinstance(fact, float) else str(fact)
            for name, fact in facts.items()}  # fmt: skip


def _adapter(stages: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Parameters of the adapter that the last stage trains: its own, a fresh one, or the one that it goes on with."""
    for stage in reversed(stages):
        parameters = stage.get("parameters") or {}
        for found in (parameters, parameters.get("fresh_adapter") or {}):
            if "rank" in found:
                return found
    return {}


def _alpha(adapter: Mapping[str, Any]) -> float | None:
    """As given, else as a factor of the rank (see ``methods.parameters.LoraParameters``)."""
    if adapter.get("alpha") is not None or "alpha_per_rank" not in adapter:
        return adapter.get("alpha")
    return float(adapter["alpha_per_rank"] * adapter["rank"])
