"""Score a model with lm-eval: one pass over the tasks, each item's outcome kept.

Tasks, their requests and the token ids of their prompts do not depend on the model, so a process makes them once:
the fork server before any cell is born, and its children find them done.
"""

import base64
from collections.abc import Iterable, Sequence
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

import lm_eval.utils
from lm_eval.evaluator import evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

from harness.assignment import EvalToScore
from harness.data.render import _start
from harness.events import Moment, Score
from harness.store.packing import pack_bits, pack_floats, pack_texts

FEWSHOT_SEED = 1234

# lm-eval compiles a task's template anew for every item.
lm_eval.utils.env.from_string = lru_cache(maxsize=1024)(lm_eval.utils.env.from_string)  # type: ignore[method-assign]


class Scorer:
    """Scores the same tasks at as many moments as a cell has."""

    def __init__(self, tasks_folder: Path, evals: Sequence[EvalToScore], batch_size: int) -> None:
        self.tasks_folder, self.evals, self.batch_size = tasks_folder, evals, batch_size

    def score(self, model: Any, tokenizer: Any, moment: Moment, shots: int = 0) -> Iterable[Score]:
        """The score of each task at this moment; ``shots`` examples are put before each question."""
        wanted = [e for e in self.evals if e.is_wanted(moment)]
        if not wanted:
            return
        was_training = model.training
        model.eval()
        results = evaluate(
            lm=_language_model(model, tokenizer, self.batch_size),
            task_dict=_tasks(self.tasks_folder, tuple(e.task for e in wanted), shots),
            bootstrap_iters=0,
            log_samples=True,
        )
        model.train(was_training)
        assert results is not None
        for eval_ in wanted:
            yield _score(eval_, moment, results["results"][eval_.task], results["samples"][eval_.task])


def warm(tasks_folder: Path, names: Sequence[str], tokenizers: Iterable[Any]) -> None:
    """Load tasks, build their requests, and tokenise these with each tokenizer, before any model is there."""
    loaded = _tasks(tasks_folder, tuple(names), 0)
    texts: dict[str, None] = {}
    for task in loaded["tasks"].values():
        task.build_all_requests(rank=0, world_size=1)
        for instance in task.instances:
            if instance.request_type == "loglikelihood":
                context, continuation = instance.args
                spaces = len(context) - len(context.rstrip())
                texts[context[: len(context) - spaces]] = texts[context + continuation] = None
    for tokenizer in tokenizers:
        known = _known_tokens(tokenizer.name_or_path)
        for text, ids in zip(texts, tokenizer(list(texts), add_special_tokens=False)["input_ids"], strict=True):
            known[text] = ids


class _AsTrained(HFLM):
    """lm-eval's Transformers model, whose prompts begin with the tokens that training put there.

    It looks a prompt's tokens up where it has seen the prompt before.
    """

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **kwargs: Any) -> list[int]:
        if add_special_tokens or kwargs.get("left_truncate_len"):
            return super().tok_encode(string, add_special_tokens, **kwargs)
        known = _known_tokens(self.tokenizer.name_or_path)
        if string not in known:
            known[string] = super().tok_encode(string, add_special_tokens, **kwargs)
        return known[string]

    def _encode_pair(self, context: str, continuation: str) -> tuple[list[int], list[int]]:
        context_ids, continuation_ids = super()._encode_pair(context, continuation)
        return self._opened(context_ids), continuation_ids

    def tok_batch_encode(
        self, strings: Sequence[str], padding_side: str = "left", left_truncate_len: int | None = None, **_: Any
    ) -> tuple[Any, Any]:
        ids = [self._opened(self.tok_encode(string))[-(left_truncate_len or 0) :] for string in strings]
        batch = self.tokenizer.pad({"input_ids": ids}, padding_side=padding_side, return_tensors="pt")
        return batch["input_ids"], batch["attention_mask"]

    @cached_property
    def max_length(self) -> int:  # type: ignore[override]
        """lm-eval works it out anew for every request."""
        return int(super().max_length)

    @cached_property
    def _opening(self) -> list[int]:
        return _start(self.tokenizer)

    def _opened(self, ids: list[int]) -> list[int]:
        return ids if ids[: len(self._opening)] == self._opening else [*self._opening, *ids]


@cache
def _known_tokens(tokenizer: str) -> dict[str, list[int]]:
    return {}


def _language_model(model: Any, tokenizer: Any, batch_size: int) -> HFLM:
    return _AsTrained(
        pretrained=model,
        tokenizer=tokenizer,
        backend="causal",
        batch_size=batch_size,
        add_bos_token=False,
    )


@cache
def _tasks(folder: Path, names: tuple[str, ...], shots: int) -> Any:
    loaded = TaskManager(include_path=str(folder), include_defaults=False).load(list(names))
    for task in loaded["tasks"].values():
        task.set_config(key="num_fewshot", value=shots)
        task.set_fewshot_seed(seed=FEWSHOT_SEED)
        task.build_all_requests = _building_once(task)
    return loaded


def _building_once(task: Any) -> Any:
    """``task.build_all_requests`` that builds the first time and clears the answers the next."""
    build = task.build_all_requests

    def build_or_clear(**options: Any) -> None:
        if getattr(task, "_instances", None):
            for instance in task.instances:
                instance.resps, instance.filtered_resps = [], {}
        else:
            build(**options)

    return build_or_clear


def _score(eval_: EvalToScore, moment: Moment, result: dict[str, Any], samples: list[dict[str, Any]]) -> Score:
    key = next((key for key in result if key.split(",")[0] == eval_.metric), None)
    if key is None:
        raise KeyError(f"task {eval_.task} has no metric {eval_.metric}; it has {', '.join(map(str, result))}")
    # A task with several filters has a sample for each of them; its first one is read, as in its results.
    samples = [sample for sample in samples if sample["filter"] == key.partition(",")[2]]
    samples.sort(key=lambda sample: sample["doc_id"])
    answers = _answers(samples)
    return Score(
        moment=moment,
        eval_id=eval_.eval_id,
        metric=eval_.metric,
        value=float(result[key]),
        n_items=len(samples),
        higher_is_better=eval_.higher_is_better,
        correct=_encoded(pack_bits([_outcome(sample.get(eval_.metric)) for sample in samples])),
        values=_encoded(pack_floats([_numbers(sample, eval_.metric) for sample in samples])),
        answers=_encoded(pack_texts(answers)) if answers else None,
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
