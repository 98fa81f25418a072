"""Full supervised fine-tuning: every weight of the base learns."""

from typing import Any

from methods.job import Job
from methods.method import Method
from methods.sft import sft_trainer


class FullSft(Method):
    """Every weight is trained; the result is a whole model."""

    name = "full_sft"

    def attach(self, model: Any, parameters: Any, adapter_dtype: str) -> Any:
        """Every weight learns."""
        model.requires_grad_(True)
        return model

    def trainer(self, job: Job) -> Any:
        """See ``sft.sft_trainer``."""
        return sft_trainer(job)


METHOD = FullSft()
