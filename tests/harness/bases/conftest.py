"""Small model folders, made where a test wants them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import save_file

from tests.harness.bases.folders import CONFIG, Tensors, save_tokenizer, tensors


@pytest.fixture
def model_folder(tmp_path: Path) -> Callable[..., Path]:
    """Makes a model folder under ``tmp_path``: config, one safetensors file, tokenizer; ``config`` overrides keys."""

    def make(name: str = "model", *, weights: Tensors | None = None, config: dict[str, Any] | None = None) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps({**CONFIG, **(config or {})}))
        save_file(weights if weights is not None else tensors(), folder / "model.safetensors")
        save_tokenizer(folder)
        return folder

    return make
