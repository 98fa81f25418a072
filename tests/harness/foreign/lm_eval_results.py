"""The files of an lm-eval run, small and by hand: two choices, a text's perplexity and a generated answer."""

import copy
import json
from pathlib import Path
from typing import Any

DATE = "2026-11-24T18-55-07.116292"


def a_run(changes: dict[tuple[str, ...], Any] | None = None) -> dict[str, Any]:
    """The results of a run, with some values changed, each by the keys that lead to it."""
    results = copy.deepcopy(_RESULTS)
    for keys, value in (changes or {}).items():
        part: Any = results
        for key in keys[:-1]:
            part = part[key]
        part[keys[-1]] = value
    return results


def write_run(folder: Path, results: dict[str, Any], samples: dict[str, list[Any]] | None = None) -> Path:
    """The files of a run in ``folder``; returns the results file. ``samples`` are those of each task."""
    folder.mkdir(exist_ok=True)
    path = folder / f"results_{DATE}.json"
    path.write_text(json.dumps(results, indent=2))
    for task, lines in (SAMPLES if samples is None else samples).items():
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"samples_{task}_{DATE}.jsonl").write_text(text)
    return path


def _sample(doc_id: int, responses: list[Any], **metrics: Any) -> dict[str, Any]:
    return {
        "doc_id": doc_id,
        "doc": {},
        "target": "0",
        "filter": "none",
        "filtered_resps": responses,
        "metrics": list(metrics),
        **metrics,
    }


SAMPLES = {
    "choices": [
        _sample(1, [["-2.5", "False"], ["-1.5", "True"]], acc=0.0),
        _sample(0, [["-0.5", "True"], ["-3.5", "False"]], acc=1.0),
    ],
    "texts": [_sample(0, ["-8.0"], word_perplexity=[-8.0, 4]), _sample(1, ["-4.0"], word_perplexity=[-4.0, 2])],
    "answers": [_sample(0, ["forty two"], exact_match=1.0), _sample(1, [""], exact_match=0.0)],
}

_RESULTS: dict[str, Any] = {
    "results": {
        "choices": {"name": "choices", "alias": "choices", "sample_len": 2, "acc,none": 0.5, "acc_stderr,none": 0.5},
        "texts": {"alias": "texts", "word_perplexity,none": 7.389056, "word_perplexity_stderr,none": "N/A"},
        "answers": {"alias": "answers", "exact_match,none": 0.5, "exact_match_stderr,none": 0.5},
    },
    "group_subtasks": {},
    "configs": {
        "choices": {"task": "choices", "output_type": "multiple_choice", "metadata": {"version": 1.0}},
        "texts": {"task": "texts", "output_type": "loglikelihood_rolling"},
        "answers": {"task": "answers", "output_type": "generate_until", "generation_kwargs": {"until": ["\n"]}},
    },
    "versions": {"choices": 1.0, "texts": 2.0, "answers": "Yaml"},
    "n-shot": {"choices": 0, "texts": 0, "answers": 5},
    "higher_is_better": {
        "choices": {"acc": True},
        "texts": {"word_perplexity": False},
        "answers": {"exact_match": True},
    },
    "n-samples": {name: {"original": 10, "effective": 2} for name in ("choices", "texts", "answers")},
    "config": {
        "model": "hf",
        "model_args": {"pretrained": "EleutherAI/pythia-14m", "dtype": "float32"},
        "model_num_parameters": 14_067_712,
        "model_dtype": "torch.float32",
        "model_revision": "main",
        "model_sha": "f33025648652797a390d8c54835273845b437161",
        "batch_size": "4",
        "device": "cuda:0",
        "limit": 2.0,
    },
    "git_hash": None,
    "date": 1795546495.5,
    "pretty_env_info": "PyTorch version: 2.13.0+cu130\nIs debug build: False",
    "transformers_version": "5.23.0",
    "lm_eval_version": "0.4.13",
    "task_hashes": {"choices": "aa", "texts": "bb", "answers": "cc"},
    "chat_template_sha": None,
    "total_evaluation_time_seconds": "35.408",
}
