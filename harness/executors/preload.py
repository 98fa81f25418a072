"""What every worker imports once: the fork server loads this module, and its children find it done.

Threads are set to one before anything runs: a two-thread operation before a fork would leave a child that uses two
threads waiting for ever.
"""

import contextlib
import gc
import json
import os
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")  # ask for GPUs without opening one
os.environ["HF_HUB_OFFLINE"] = "1"  # all files are local by now, and nothing phones home
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["TQDM_DISABLE"] = "1"

import logging
import threading
import warnings

import torch

WARM_VARIABLE = "TUNEMATRIX_WARM"

torch.set_num_threads(1)
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import bitsandbytes  # noqa: E402, F401
import datasets  # noqa: E402
import peft  # noqa: E402, F401
import tqdm  # noqa: E402
import transformers  # noqa: E402
from lm_eval.evaluator import evaluate  # noqa: E402, F401
from lm_eval.models.huggingface import HFLM  # noqa: E402, F401
from lm_eval.tasks import TaskManager  # noqa: E402, F401
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, LlamaForCausalLM  # noqa: E402, F401
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer  # noqa: E402, F401

import harness.cell  # noqa: E402
import harness.scoring  # noqa: E402
import harness.training  # noqa: E402

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
datasets.disable_progress_bars()
tqdm.tqdm.set_lock(threading.RLock())  # its own is a semaphore that a worker's end would leave behind


def _warm(wanted: str) -> None:
    """Tasks and tokenizers that every cell of this matrix will ask for, ready before the first is born."""
    what = json.loads(wanted)
    tokenizers = [harness.cell.read_tokenizer(folder, pad_token) for folder, pad_token in what["tokenizers"]]
    harness.scoring.warm(Path(what["tasks_folder"]), what["tasks"], tokenizers)


if WARM_VARIABLE in os.environ:
    with contextlib.suppress(Exception):  # a cell that needs what is broken here says so itself
        _warm(os.environ[WARM_VARIABLE])

# What is loaded by now lives as long as the process: no collection in a child walks through it again (0.2 s each).
gc.collect()
gc.freeze()
