"""The recipe for a real pretrained model, end to end through the command line, for a handful of steps."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.real.real_cli import SHORT, Cli, override

pytestmark = [pytest.mark.real, pytest.mark.slow]

EVALS = (
    "evals=[{task: stories_answers_validation, role: target, split: validation, metric: nats_per_byte, "
    "higher_is_better: false}, "
    "{task: stories_preference_validation, role: preference, split: validation}]"
)


def test_sft_and_dpo_run_and_learn(shared: Path, cli: Cli, query: Callable[[str], list[Any]]) -> None:
    few = override(
        EVALS,
        "budget.steps=6",
        "optimizer.warmup_steps=1",
        "methods.lora.rank=8",
        "methods.lora.learning_rate=1e-2",
        "methods.dpo-lora.budget.steps=2",
        "methods.dpo-lora.learning_rate=1e-3",
    )

    done = cli("run", "stories", "--only", "label=base|dpo-lora", *SHORT, *few)

    statuses = query("SELECT method, status FROM runs JOIN cells USING (cell_id) ORDER BY method")
    assert statuses == [("base", "ok"), ("dpo", "ok"), ("lora", "ok")], done.stdout + done.stderr
    scores = dict(
        query(
            "SELECT method, value FROM scores JOIN runs USING (run_id) JOIN cells USING (cell_id) "
            "WHERE metric = 'nats_per_byte' AND moment IN ('base', 'tuned')"
        )
    )
    assert scores["lora"] < scores["base"] - 0.3
    assert abs(scores["dpo"] - scores["lora"]) < 0.5


def test_the_whole_suite_can_be_planned(shared: Path, cli: Cli) -> None:
    import json

    plan = json.loads(cli("plan", "stories", "--json").stdout)

    methods = {cell["method"] for cell in plan["cells"]}
    assert methods == {"base", "full_sft", "lora", "qlora", "dpo"}
    assert {cell["rank"] for cell in plan["cells"] if cell["method"] == "lora"} == {2, 8, 32}
    assert not {cell["state"] for cell in plan["cells"]} & {"refused", "blocked"}


def test_a_rank_wider_than_a_layer_is_refused(shared: Path, cli: Cli) -> None:
    done = cli("plan", "stories", *override("methods.lora.rank=[64]", "methods.dpo-lora.starts_from=lora"), code=2)

    assert "the largest that fits is 32" in done.stderr
    assert len(done.stderr.splitlines()) == 1
