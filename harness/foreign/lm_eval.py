"""Results of lm-eval as rows of the store: what an untrained base answers, task by task, with its items.

A task says nothing of what it is asked for: one that counts right answers is taken as a target, a perplexity as
general text. Only a base's results are read: of a model with an adapter nothing tells how it was trained.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness import identity
from harness.errors import UserError
from harness.foreign.lm_eval_files import Results, Sample, read_results, read_samples
from harness.foreign.rows import Row, Rows, times
from harness.report import words
from harness.store.packing import pack_bits, pack_floats, pack_texts

SOURCE = SUITE = "lm-eval"
NOT_THE_MODEL = ("pretrained", "batch_size", "max_batch_size", "device", "parallelize", "trust_remote_code")
# Said of a task by whoever ran it, the model's own arguments among it.
NOT_THE_TASK = ("metadata",)


def read(path: Path) -> Rows:
    """The rows of a results file and of the samples beside it. Raises UserError for what is wrong in any of them."""
    if not path.is_file():
        raise UserError(f"{words.text(path)}: no such file; name an lm-eval results file (results_*.json)")
    results, digest = read_results(path)
    tasks = [task for task in results.results if task in results.configs]
    samples = {task: found for task in tasks if (found := read_samples(path, task))}
    rows, base = Rows(), _base(results, path)
    stack_id = rows.add_stack(_facts(results), identity.digest("code", {"lm-eval": results.lm_eval_version}))
    about = {"suite": SUITE, "label": "base", "method": "base", "base": base["name"]}
    cell_id, _ = rows.add_cell(base["recipe"], {"batch_size": results.config.batch_size}, about)
    run_id = identity.digest("run", [digest, *(part for _, part in samples.values())])[:32]
    run: Row = {"run_id": run_id, "cell_id": cell_id, "stack_id": stack_id, "source": SOURCE}
    run |= {"purpose": "quality", "exclusive": 0, "status": "ok", "total_parameters": base["parameters"]}
    run |= times(datetime.fromtimestamp(results.date, UTC), results.total_evaluation_time_seconds)
    rows.add("runs", run)
    for task in tasks:
        _add_task(rows, run_id, results, task, samples[task][0] if task in samples else [], path)
    if not rows.tables["scores"]:
        raise UserError(f"{words.text(path)}: results: no task with a score that says which direction is better")
    return rows


def _base(results: Results, path: Path) -> dict[str, Any]:
    """The model's name, its recipe, and how many parameters it has."""
    config, arguments = results.config, results.config.arguments
    for key in ("peft", "delta"):
        if key in arguments:
            raise UserError(
                f"{words.text(path)}: config.model_args: {key}= names what was trained; only a base is read"
            )
    if not arguments.get("pretrained"):
        raise UserError(f"{words.text(path)}: config.model_args: no pretrained=, which says what model this is")
    name = str(arguments["pretrained"])
    settings = {key: str(value) for key, value in arguments.items() if key not in NOT_THE_MODEL}
    stage = {
        "kind": "base",
        "method": "base",
        "parameters": {"quantisation": _quantisation(arguments), "shots": 0},
        "precision": config.model_dtype,
        "settings": settings,
    }
    shown = name.rstrip("/").rpartition("/")[2] if name.startswith(("/", ".", "~")) else name
    digest = identity.digest("base", {"id": shown, "sha": config.model_sha or None})
    counted = config.model_num_parameters
    parameters = counted if counted is not None and counted >= 0 else None
    return {"name": shown, "recipe": {"base_digest": digest, "stages": [stage]}, "parameters": parameters}


def _quantisation(arguments: dict[str, Any]) -> str:
    for key, name in (("load_in_4bit", "4bit"), ("load_in_8bit", "8bit")):
        if str(arguments.get(key)).lower() == "true":
            return name
    return "none"


def _facts(results: Results) -> Row:
    device = results.config.device
    return {
        "device": device.partition(":")[0] if device else None,
        "torch": results.torch_version,
        "transformers": results.transformers_version,
        "lm-eval": results.lm_eval_version,
    }


def _add_task(rows: Rows, run_id: str, results: Results, task: str, samples: list[Sample], path: Path) -> None:
    scores = _scores(results, task)
    if not scores:
        return
    first_filter = scores[0]["filter"]
    kept = [sample for sample in samples if sample.filter == first_filter]
    n_items = results.samples[task].effective if task in results.samples else len(kept)
    if kept and len(kept) != n_items:
        raise UserError(
            f"{words.text(path)}: {words.text(task)}: {n_items} items scored, but {len(kept)} in its samples"
        )
    config = {key: value for key, value in results.configs[task].items() if key not in NOT_THE_TASK}
    eval_id = rows.add_eval(
        task,
        "target" if any(score["higher_is_better"] for score in scores) else "general",
        "test",
        version=str(results.versions.get(task)),
        item_digest=identity.digest("items", [config, results.task_hashes.get(task)]),
        decoding=_decoding(results, task),
        n_items=n_items,
    )
    key = {"run_id": run_id, "moment": "base", "eval_id": eval_id}
    for score in scores:
        name = score["metric"] if score["filter"] == first_filter else f"{score['metric']},{score['filter']}"
        value = {"value": score["value"], "higher_is_better": int(score["higher_is_better"])}
        rows.add("scores", {**key, "metric": name, "n_items": n_items, **value})
    if kept:
        rows.add("items", {**key, **_items(kept, scores[0]["metric"], str(config.get("output_type")))})


def _scores(results: Results, task: str) -> list[Row]:
    """Each metric and filter of a task with its value; without those whose direction is not said."""
    directions = results.higher_is_better.get(task, {})
    found = []
    for key, value in results.results[task].items():
        metric, comma, filter_ = key.partition(",")
        better = directions.get(metric)
        if comma and better is not None and isinstance(value, int | float) and not isinstance(value, bool):
            found.append({"metric": metric, "filter": filter_, "value": float(value), "higher_is_better": better})
    return found


def _decoding(results: Results, task: str) -> Row:
    return {
        "output_type": results.configs[task].get("output_type"),
        "generation_kwargs": results.configs[task].get("generation_kwargs") or {},
        "batch_size": results.config.batch_size,
        "shots": results.shots.get(task),
        "limit": results.config.limit,
        "chat_template": results.chat_template_sha,
        "system_instruction": results.system_instruction_sha,
        "fewshot_as_multiturn": results.fewshot_as_multiturn,
    }


def _items(samples: list[Sample], metric: str, output_type: str) -> Row:
    """Right or wrong, log-likelihoods and answers of the items, packed as the store keeps them."""
    outcomes = [(sample.model_extra or {}).get(metric) for sample in samples]
    correct = [bool(value) if value in (0, 1) else None for value in outcomes]
    packed: Row = {"correct": pack_bits(correct) if any(value is not None for value in correct) else None}
    if output_type == "generate_until":
        answers = [str(sample.filtered_resps[0]) if sample.filtered_resps else "" for sample in samples]
        return {**packed, "answers": pack_texts(answers)}
    return {**packed, "values": pack_floats([_likelihoods(sample) for sample in samples])}


def _likelihoods(sample: Sample) -> list[float]:
    """Of an item's choices, or of its text; written as text, each alone or with whether it was the likeliest."""
    firsts = [
        response[0] if isinstance(response, list) and response else response for response in sample.filtered_resps
    ]
    try:
        return [float(first) for first in firsts]
    except (TypeError, ValueError):
        return []
