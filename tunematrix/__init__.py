"""Compare fine-tuning methods fairly; what a plugin imports.

A plugin subclasses ``Method`` and registers it under the entry point group ``tunematrix.methods``. Everything but the
version is imported when it is first asked for, so that ``import tunematrix`` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tunematrix.version import __version__

if TYPE_CHECKING:
    from methods.adapters import add_adapter
    from methods.job import Job
    from methods.method import Method
    from methods.parameters import DpoParameters, LoraParameters, Parameters, QloraParameters, QuantisationParameters
    from methods.preference import preference_trainer
    from methods.sft import sft_trainer
    from methods.trainer_arguments import trainer_arguments

_HOMES = {
    "DpoParameters": "methods.parameters",
    "Job": "methods.job",
    "LoraParameters": "methods.parameters",
    "Method": "methods.method",
    "Parameters": "methods.parameters",
    "QloraParameters": "methods.parameters",
    "QuantisationParameters": "methods.parameters",
    "add_adapter": "methods.adapters",
    "preference_trainer": "methods.preference",
    "sft_trainer": "methods.sft",
    "trainer_arguments": "methods.trainer_arguments",
}

__all__ = [
    "DpoParameters",
    "Job",
    "LoraParameters",
    "Method",
    "Parameters",
    "QloraParameters",
    "QuantisationParameters",
    "__version__",
    "add_adapter",
    "preference_trainer",
    "sft_trainer",
    "trainer_arguments",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
