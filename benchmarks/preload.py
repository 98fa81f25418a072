"""What the fork server loads in place of the harness' own preload: the same, with a clock on it."""

import harness.executors.preload  # noqa: F401  (first: it sets up the process before the libraries are imported)

from lm_eval.models.huggingface import HFLM  # isort: skip
from transformers import Trainer  # isort: skip

from benchmarks import clock  # isort: skip

clock.watch(Trainer, "train", "train")
clock.watch_model_calls(HFLM)
