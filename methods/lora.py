"""LoRA: the base is frozen and low-rank adapters learn beside its linear layers (Hu et al. 2021)."""

from typing import Any

from methods.adapters import add_adapter
from methods.job import Job
from methods.method import Method
from methods.parameters import LoraParameters
from methods.sft import sft_trainer


class Lora(Method):
    """A PEFT adapter is trained; the result is the adapter."""

    name = "lora"
    result = "adapter"
    Parameters = LoraParameters

    def attach(self, model: Any, parameters: LoraParameters, adapter_dtype: str) -> Any:
        """See ``adapters.add_adapter``."""
        return add_adapter(model, parameters, adapter_dtype)

    def trainer(self, job: Job) -> Any:
        """See ``sft.sft_trainer``."""
        return sft_trainer(job)


METHOD = Lora()
