"""Score a model with lm-eval: one pass over the tasks, each item's outcome kept."""

import base64
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from harness.assignment import EvalToScore
from harness.events import Moment, Score
from harness.store.packing import pack_bits, pack_floats, pack_texts


class Scorer:
    """Tasks loaded once and scored at as many moments as a cell has."""

    def __init__(self, tasks_folder: Path, evals: Sequence[EvalToScore], batch_size: int) -> None:
        from lm_eval.tasks import TaskManager

        self.manager = TaskManager(include_path=str(tasks_folder), include_defaults=False)
        self.evals = evals
        self.batch_size = batch_size

    def score(self, model: Any, tokenizer: Any, moment: Moment, shots: int = 0) -> Iterable[Score]:
        """The score of each task at this moment; ``shots`` examples are put before each question."""
        from lm_eval.evaluator import evaluate
        from lm_eval.models.huggingface import HFLM

        wanted = [e for e in self.evals if shots == 0 or e.shots_allowed]
        was_training = model.training
        model.eval()
        language_model = HFLM(
            pretrained=model,
            tokenizer=tokenizer,
            backend="causal",
            batch_size=self.batch_size,
            max_length=model.config.max_position_embeddings,
            add_bos_token=False,
        )
        results = evaluate(
            lm=language_model,
            task_dict=self._load([e.task for e in wanted], shots),
            bootstrap_iters=0,
            log_samples=True,
        )
        model.train(was_training)
        assert results is not None
        for eval_ in wanted:
            yield _score(eval_, moment, results["results"][eval_.task], results["samples"][eval_.task])

    def _load(self, names: list[str], shots: int) -> Any:
        loaded = self.manager.load(names)
        for task in loaded["tasks"].values():
            task.set_config(key="num_fewshot", value=shots)
            task.set_fewshot_seed(seed=1234)
        return loaded


def _score(eval_: EvalToScore, moment: Moment, result: dict[str, Any], samples: list[dict[str, Any]]) -> Score:
    samples = sorted(samples, key=lambda sample: sample["doc_id"])
    value = next((v for k, v in result.items() if k.split(",")[0] == eval_.metric), None)
    if value is None:
        raise KeyError(f"task {eval_.task} has no metric {eval_.metric}; it has {', '.join(map(str, result))}")
    return Score(
        moment=moment,
        eval_id=eval_.eval_id,
        metric=eval_.metric,
        value=float(value),
        n_items=len(samples),
        higher_is_better=eval_.higher_is_better,
        correct=_encoded(pack_bits([_outcome(sample.get(eval_.metric)) for sample in samples])),
        values=_encoded(pack_floats([_numbers(sample, eval_.metric) for sample in samples])),
        answers=_encoded(pack_texts(answers)) if (answers := _answers(samples)) else None,
    )


def _outcome(value: Any) -> bool | None:
    return bool(value) if isinstance(value, bool | int | float) and value in (0, 1) else None


def _numbers(sample: dict[str, Any], metric: str) -> list[float]:
    """Log-likelihoods of the choices or of the text; for a generated answer, its metric."""
    responses = sample["filtered_resps"]
    if any(isinstance(response, str) for response in responses):
        value = sample.get(metric)
        return [float(value)] if isinstance(value, int | float) else []
    return [float(r[0]) if isinstance(r, tuple | list) else float(r) for r in responses]


def _answers(samples: list[dict[str, Any]]) -> list[str]:
    texts = [sample["filtered_resps"][0] for sample in samples]
    return texts if all(isinstance(text, str) for text in texts) else []


def _encoded(blob: bytes) -> str:
    return base64.b64encode(blob).decode()
