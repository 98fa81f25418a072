"""Results of peft's method comparison (huggingface/peft, method_comparison/MetaMathQA) as rows of the store.

Each experiment becomes a quality run, with its curve and scores, and a measure run, with its memory and speed: their
runner refuses a device that is in use, so a run had it to itself. One seed each, no items, and no run of the base.

- Memory: they recorded one peak, of what PyTorch's allocator reserved over the whole run, loading and generating
  included. It is kept as the peak of a phase ``run``; the peak of training alone is not known.
- Speed: the median over the intervals between evaluations, of tokens with one end token an example.
- Forgetting: mean loss a token on 100 Wikipedia texts, after training minus that of the base. Until peft pull request
  3419 it compared logits with the token that had been put in, and started from an untrained adapter instead of the
  base; what was recorded before the first results with that mended is left out.
- Not kept, for want of a measure of ours that means the same: averages and 99th percentiles of reserved memory, the
  size of the checkpoint, and ``train_time``, which covers tokenising and the test.
"""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from harness import identity
from harness.analysis.costs import WHOLE_RUN
from harness.analysis.outcomes import NATS_OVER_BASE
from harness.foreign import peft_recipe
from harness.foreign.peft_files import Point, Result, read_result, result_files
from harness.foreign.rows import Row, Rows, times

SOURCE = "peft-method-comparison"
SUITE = "peft-metamathqa"
VALIDATION = "gsm8k_validation"
VALIDATION_ITEMS, TEST_ITEMS, WIKIPEDIA_TEXTS = 50, 1319, 100
FORGETTING_MENDED = datetime(2026, 7, 14, tzinfo=UTC)  # the results of pull request 3445
MOST_STEPS = 64


def read(path: Path) -> Rows:
    """The rows of a folder of result files, or of one. Raises UserError, naming the file, for any that is wrong."""
    results = [read_result(file) for file in result_files(path)]
    rows = Rows()
    for result, digest in results:
        _add(rows, result, digest)
    return rows


def _add(rows: Rows, result: Result, digest: str) -> None:
    stack_id = rows.add_stack(*_stack(result))
    about = {
        "suite": SUITE,
        "label": result.run_info.experiment_name,
        "method": peft_recipe.method(result),
        "base": result.run_info.train_config.model_id,
        "rank": peft_recipe.rank(result),
        "selection_task": VALIDATION,
    }
    cell_id, stage_id = rows.add_cell(peft_recipe.recipe(result), peft_recipe.execution(result), about)
    run = {"cell_id": cell_id, "stack_id": stack_id, "source": SOURCE}
    run |= times(result.run_info.created_at, result.run_info.total_time)
    quality: Row = {"run_id": f"{digest[:32]}-quality", **run, "purpose": "quality", "exclusive": 0}
    rows.add("runs", {**quality, **_outcome(result), **_figures(result)})
    rows.add("steps", *_steps(quality["run_id"], stage_id, result.train_info.metrics))
    if result.succeeded:
        _add_scores(rows, quality["run_id"], result)
        measure: Row = {"run_id": f"{digest[:32]}-measure", **run, "purpose": "measure", "exclusive": 1, "status": "ok"}
        rows.add("runs", {**measure, **_figures(result)})
        rows.add("phases", *_phases(measure["run_id"], stage_id, result))


def _stack(result: Result) -> tuple[Row, str]:
    """The facts of a stack, and what stands for the digest of its code: peft's commit."""
    meta, packages = result.meta_info, result.meta_info.package_info
    libraries = ("torch", "transformers", "peft", "datasets", "bitsandbytes")
    gpu = meta.system_info.accelerator
    facts = {name: packages.get(f"{name}-version") for name in libraries}
    facts |= {
        "device": "xpu" if gpu and gpu.startswith("Intel") else "cuda",  # their runner takes no other
        "gpu": gpu,
        "platform": " ".join(filter(None, (meta.system_info.system, meta.system_info.machine))) or None,
        "os_release": meta.system_info.release,
        "peft_commit": _short(packages.get("peft-commit-hash")),
        "metamath_commit": _short(meta.dataset_info.metamath.sha),
        "gsm8k_commit": _short(meta.dataset_info.gsm8k.sha),
    }
    return facts, identity.digest("code", {"peft": packages.get("peft-commit-hash")})


def _outcome(result: Result) -> Row:
    """Status and reason: a run that they call failed or cancelled stopped in training."""
    if result.succeeded:
        return {"status": "ok"}
    reason = result.run_info.error_msg or f"status {result.train_info.status}, no reason recorded"
    known = {"manually canceled": "killed"}
    status = "oom" if "out of memory" in reason.lower() else known.get(reason, "crashed")
    return {"status": status, "reason": reason, "failed_phase": "train"}


def _figures(result: Result) -> Row:
    train = result.train_info
    return {
        "real_tokens": next((p.total_tokens for p in train.metrics if p.total_tokens is not None), None),
        "trainable_parameters": train.trainable_parameters,
        "total_parameters": train.total_parameters,
    }


def _steps(run_id: str, stage_id: str, points: list[Point]) -> list[Row]:
    """The loss curve: each point a mean since the one before, ``seconds`` those of training alone so far."""
    logged = [point for point in points if point.test_accuracy is None]
    seconds = np.cumsum([np.nan if point.train_seconds is None else point.train_seconds for point in logged])
    curve = {
        point.step: {"loss": point.train_loss, "seconds": float(so_far) if np.isfinite(so_far) else None}
        for point, so_far in zip(logged, seconds, strict=True)
    }
    kept = sorted(curve)[:: -(-len(curve) // MOST_STEPS) or 1]
    return [{"run_id": run_id, "stage_id": stage_id, "step": step, **curve[step]} for step in kept]


def _phases(run_id: str, stage_id: str, result: Result) -> list[Row]:
    intervals = [point for point in result.train_info.metrics if point.test_accuracy is None]
    speeds = [point.tokens_per_second for point in intervals if point.tokens_per_second is not None]
    seconds = [point.train_seconds for point in intervals if point.train_seconds is not None]
    key = {"run_id": run_id, "stage_id": stage_id}
    train: Row = {**key, "phase": "train", "wall_seconds": sum(seconds) or None}
    if speeds:
        for name, quantile in (("p25", 0.25), ("median", 0.5), ("p75", 0.75)):
            train[f"tokens_per_second_{name}"] = float(np.quantile(speeds, quantile))
    whole = {"peak_reserved_bytes": result.train_info.peak_reserved_bytes, "wall_seconds": result.run_info.total_time}
    return [train, {**key, "phase": WHOLE_RUN, **whole}]


def _add_scores(rows: Rows, run_id: str, result: Result) -> None:
    """The last validation, the test, and the loss on general text over the base's."""
    points = result.train_info.metrics
    gsm8k: Row = {"role": "target", "version": "1", "decoding": peft_recipe.decoding(result)}
    validation: Row = {"split": "validation", "item_digest": "openai/gsm8k main, 50 of train by seed 0"}
    eval_id = rows.add_eval(VALIDATION, n_items=VALIDATION_ITEMS, **gsm8k, **validation)
    _add_score(rows, run_id, eval_id, "accuracy", _last(points, "valid_accuracy"), VALIDATION_ITEMS)
    eval_id = rows.add_eval("gsm8k", n_items=TEST_ITEMS, **gsm8k, split="test", item_digest="openai/gsm8k main, test")
    _add_score(rows, run_id, eval_id, "accuracy", _last(points, "test_accuracy"), TEST_ITEMS)
    if result.run_info.created_at >= FORGETTING_MENDED:
        texts: Row = {"item_digest": "HuggingFaceFW/finewiki, first of train", "decoding": {"longest_text": 768}}
        about: Row = {"role": "general", "split": "test", "version": "2", "n_items": WIKIPEDIA_TEXTS}
        eval_id = rows.add_eval("wikipedia", **about, **texts)
        _add_score(rows, run_id, eval_id, NATS_OVER_BASE, _last(points, "forgetting"), WIKIPEDIA_TEXTS)


def _add_score(rows: Rows, run_id: str, eval_id: str, metric: str, value: float | None, n_items: int) -> None:
    if value is not None:
        key = {"run_id": run_id, "moment": "tuned", "eval_id": eval_id, "metric": metric}
        rows.add(
            "scores", {**key, "value": value, "n_items": n_items, "higher_is_better": int(metric != NATS_OVER_BASE)}
        )


def _last(points: list[Point], name: str) -> float | None:
    return next((value for point in reversed(points) if (value := getattr(point, name)) is not None), None)


def _short(commit: str | None) -> str | None:
    return commit[:12] if commit else None
