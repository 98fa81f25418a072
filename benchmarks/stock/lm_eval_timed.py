"""lm-eval's command line as it is installed, with a clock on its model calls."""

import sys

from lm_eval.__main__ import cli_evaluate
from lm_eval.models.huggingface import HFLM

from benchmarks import clock

if __name__ == "__main__":
    clock.watch_model_calls(HFLM)
    sys.exit(cli_evaluate())
