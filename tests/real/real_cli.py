"""The command line as the real tests call it."""

import subprocess
from collections.abc import Callable

Cli = Callable[..., "subprocess.CompletedProcess[str]"]

SHORT = ["--jobs", "1", "--device", "cpu", "--set", "seeds=1", "--set", "measure.enabled=false"]


def override(*settings: str) -> list[str]:
    """``--set`` for each of them."""
    return [part for setting in settings for part in ("--set", setting)]
