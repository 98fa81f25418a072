"""DPO: preference pairs move an SFT stage's result, held to it by a reference (Rafailov et al. 2023)."""

from typing import Any

from methods.job import Job
from methods.method import Method
from methods.parameters import DpoParameters
from methods.preference import preference_trainer


class Dpo(Method):
    """Trains what its SFT stage trained: all weights, or the adapter."""

    name = "dpo"
    learns_from = "preference"
    Parameters = DpoParameters

    def trainer(self, job: Job) -> Any:
        """See ``preference.preference_trainer``."""
        return preference_trainer(job)


METHOD = Dpo()
