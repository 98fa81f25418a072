"""The suite's loader and rules, which are no package: lm-eval loads them from beside their YAML files."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import suites

SUITE = Path(next(iter(suites.__path__))) / "stories"


def load(name: str) -> ModuleType:
    """A module of the suite's ``tasks`` folder."""
    spec = importlib.util.spec_from_file_location(f"stories_{name}", SUITE / "tasks" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def suite() -> Path:
    """The suite's folder."""
    return SUITE


@pytest.fixture(scope="session")
def loader() -> ModuleType:
    """Its ``tasks/loader.py``."""
    return load("loader")


@pytest.fixture(scope="session")
def rules() -> ModuleType:
    """Its ``tasks/rules.py``."""
    return load("rules")
