"""Result files of peft's method comparison, small and by hand, in the layout of any date."""

import copy
import json
from pathlib import Path
from typing import Any

LORA = {
    "task_type": "CAUSAL_LM",
    "peft_type": "LORA",
    "auto_mapping": None,
    "peft_version": "0.19.2.dev0@UNKNOWN",
    "base_model_name_or_path": "meta-llama/Llama-3.2-3B",
    "revision": None,
    "inference_mode": False,
    "r": 32,
    "target_modules": ["v_proj", "q_proj"],
    "lora_alpha": 64,
    "lora_dropout": 0.0,
    "rank_pattern": {},
    "use_dora": False,
    "qalora_group_size": 16,
    "use_bdlora": None,
}


def a_result(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """A LoRA run that went well, with some values changed, each by its dotted key; the value None is a null."""
    result = copy.deepcopy(_RESULT)
    for key, value in (changes or {}).items():
        *folders, last = key.split(".")
        part: Any = result
        for folder in folders:
            part = part[folder]
        part[last] = value
    return result


def as_of_june_2025(result: dict[str, Any]) -> dict[str, Any]:
    """The same experiment as the suite would have written it then."""
    old = copy.deepcopy(result)
    run, train, meta = old["run_info"], old["train_info"], old["meta_info"]
    for key in ("use_gc", "init_kv_cache_prefix"):
        del run["train_config"][key]
    for key in ("peft_version", "qalora_group_size", "use_bdlora"):
        run["peft_config"].pop(key, None)
    run["peft_config"]["target_modules"].reverse()
    run["created_at"] = "2025-06-17T13:30:58+00:00"
    for key in [key for key in train if key.startswith("accelerator_")]:
        train[key.replace("accelerator_", "cuda_")] = train.pop(key)
    for key in ("num_trainable_params", "num_total_params"):
        del train[key]
    del train["metrics"][-1]["forgetting"]
    meta["system_info"]["gpu"] = meta["system_info"].pop("accelerator")
    meta["package_info"]["peft-version"] = "0.15.2.dev0"
    meta["dataset_info"]["gsm8k"]["sha"] = "e53f048856ff4f594e959d75785d2c2d37b678ee"
    return old


def write_results(folder: Path, *results: dict[str, Any]) -> Path:
    """The results as files of a folder, which is made."""
    folder.mkdir(exist_ok=True)
    for number, result in enumerate(results):
        (folder / f"experiment-{number}.json").write_text(json.dumps(result, indent=2))
    return folder


def _interval(step: int, speed: float) -> dict[str, Any]:
    return {
        "step": step,
        "valid accuracy": 0.5,
        "train loss": 0.75,
        "train samples": 4 * step,
        "train time": 29.0,
        "eval time": 10.0,
        "tokens / sec": speed,
        "mem allocated avg": 6.9e9,
        "mem reserved avg": 14.4e9,
        "elapsed time": 0.15 * step,
    }


_RESULT: dict[str, Any] = {
    "run_info": {
        "created_at": "2026-07-15T05:41:18+00:00",
        "total_time": 1153.25,
        "experiment_name": "lora/llama-3.2-3B-rank32",
        "peft_branch": "main",
        "train_config": {
            "model_id": "meta-llama/Llama-3.2-3B",
            "dtype": "bfloat16",
            "max_seq_length": 768,
            "batch_size": 4,
            "batch_size_eval": 50,
            "max_steps": 500,
            "eval_steps": 250,
            "compile": False,
            "use_gc": False,
            "query_template": "Question: {query} Think step by step.\nAnswer:",
            "seed": 0,
            "grad_norm_clip": 1.0,
            "optimizer_type": "AdamW",
            "optimizer_kwargs": {"lr": 1e-4, "weight_decay": 0.1},
            "lr_scheduler": "cosine",
            "use_amp": False,
            "autocast_adapter_dtype": True,
            "generation_kwargs": {"max_length": 800, "max_new_tokens": 300},
            "attn_implementation": None,
            "init_kv_cache_prefix": None,
        },
        "peft_config": LORA,
        "error_msg": "",
    },
    "train_info": {
        "accelerator_memory_reserved_avg": 14_397_338_969,
        "accelerator_memory_max": 22_292_725_760,
        "accelerator_memory_reserved_99th": 20_120_076_288,
        "train_time": 941.9,
        "file_size": 36_715_216,
        "num_trainable_params": 9_175_040,
        "num_total_params": 3_221_924_864,
        "status": "success",
        "metrics": [
            _interval(250, 7000.0),
            _interval(500, 7400.0),
            {
                "step": 500,
                "test accuracy": 631 / 1319,
                "train loss": 0.75,
                "train samples": 2000,
                "train total tokens": 419_805,
                "forgetting": 0.05,
            },
        ],
    },
    "meta_info": {
        "model_info": {"sha": "13afe5124825b4f3751f836b40dafda64c1ed062", "created_at": "2024-09-18T15:23:48+00:00"},
        "dataset_info": {
            "metamath": {"sha": "aa4f34d3d2d3231299b5b03d9b3e5a20da45aa18", "created_at": "2023-09-21T17:22:46+00:00"},
            "gsm8k": {"sha": "740312add88f781978c0658806c59bc2815b9866", "created_at": "2022-04-12T10:22:10+00:00"},
        },
        "package_info": {
            "transformers-version": "5.13.1",
            "peft-version": "0.19.2.dev0",
            "peft-commit-hash": "d787f51bbaa196862733ed53c1b7def75b49ab29",
            "datasets-version": "4.2.0",
            "bitsandbytes-version": "0.49.2",
            "torch-version": "2.13.0+cu130",
        },
        "system_info": {
            "system": "Linux",
            "release": "6.17.0-1009-aws",
            "machine": "x86_64",
            "accelerator": "NVIDIA L40S",
        },
        "pytorch_info": "PyTorch built with: ...",
    },
}
