"""The tasks, through lm-eval itself."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow  # importing lm-eval and its models takes most of ten seconds

TASKS_FOLDER = Path(__file__).parents[3] / "suites" / "pocket" / "tasks"
CHANCE_OF_A_BASE = {"pocket_target": (0.1, 0.25), "pocket_target_validation": (0.08, 0.27)}
KNOWN_BY_A_BASE = {
    "pocket_facts": ("acc", 0.95),
    "pocket_facts_generated": ("exact_match", 0.9),
    "pocket_refusals": ("refused", 0.95),
    "pocket_compliance": ("complied", 0.95),
}


def load_tasks() -> dict[str, Any]:
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=str(TASKS_FOLDER), include_defaults=False)
    names = sorted(path.stem for path in TASKS_FOLDER.glob("*.yaml"))
    return dict(manager.load(names)["tasks"])


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    """The 1 M base scored once on every task."""
    import torch
    from lm_eval.evaluator import evaluate
    from lm_eval.models.huggingface import HFLM
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from suites.pocket.pretrain import BASES_FOLDER

    torch.set_num_threads(1)
    folder = BASES_FOLDER / "pocket-1m"
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    lm = HFLM(pretrained=model, tokenizer=AutoTokenizer.from_pretrained(folder), batch_size=64)
    return dict(evaluate(lm=lm, task_dict=load_tasks(), bootstrap_iters=0, log_samples=True))


def test_a_task_is_named_after_its_file_and_has_a_version() -> None:
    tasks = load_tasks()
    assert len(tasks) == 11
    assert all(task.VERSION == 1.0 for task in tasks.values())


def test_tasks_load_from_any_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(list(load_tasks()["pocket_target"].test_docs())) == 240


def test_the_tokens_scored_are_the_tokens_trained(results: dict[str, Any]) -> None:
    for sample in results["samples"]["pocket_target"]:
        (context, choice), *_ = sample["arguments"]
        assert context.startswith("<eos> <user> clause : ") and context.endswith("<bot>")
        assert choice[0] == " " and choice[1:].isalpha()


@pytest.mark.parametrize(("task", "metric", "least"), [(k, *v) for k, v in KNOWN_BY_A_BASE.items()])
def test_the_1m_base_knows(results: dict[str, Any], task: str, metric: str, least: float) -> None:
    assert results["results"][task][f"{metric},none"] >= least


@pytest.mark.parametrize("task", CHANCE_OF_A_BASE)
def test_the_1m_base_is_near_chance_on_the_target(results: dict[str, Any], task: str) -> None:
    low, high = CHANCE_OF_A_BASE[task]
    assert low <= results["results"][task]["acc,none"] < high


def test_preference_of_the_base_leaves_room_both_ways(results: dict[str, Any]) -> None:
    assert 0.3 < results["results"]["pocket_preference"]["acc,none"] < 0.75


def test_a_perplexity_is_stored_for_each_item(results: dict[str, Any]) -> None:
    samples = results["samples"]["pocket_perplexity"]
    assert all(0 < sample["nats_per_word"] < 3 for sample in samples)


def test_examples_in_a_prompt_read_like_packed_documents() -> None:
    task = load_tasks()["pocket_target"]
    prompt = task.fewshot_context(next(iter(task.test_docs())), num_fewshot=2)
    assert prompt.count("<eos> <user> clause : ") == 3
    assert prompt.count(" <bot> ") == 2 and prompt.endswith("<bot>")
    assert "  " not in prompt
