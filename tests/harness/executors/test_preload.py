"""What every worker imports."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
@pytest.mark.extended  # imports everything anew
def test_progress_bars_make_no_semaphore_that_a_workers_end_would_leave_behind():
    code = "import threading, harness.executors.preload, tqdm; lock = tqdm.tqdm.get_lock()\n"
    code += "assert isinstance(lock, type(threading.RLock())), lock"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=120)
