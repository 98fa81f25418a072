"""What a method is: a name, its knobs, and how it turns a loaded base into a trained model.

A third party adds one by subclassing ``Method`` and registering an instance under the entry point group
``tunematrix.methods``. Modules here import torch only inside functions: a plan must not pay for it.
"""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from methods.parameters import Parameters, QuantisationParameters

if TYPE_CHECKING:
    from methods.job import Job


class Method:
    """One way of tuning a model.

    ``learns_from`` is the kind of data of its stage: nothing at all, SFT examples, or preference pairs.
    A method of preference pairs starts from another stage's result, the others from the base.
    """

    name: ClassVar[str]
    learns_from: ClassVar[Literal["nothing", "sft", "preference"]] = "sft"
    result: ClassVar[Literal["model", "adapter"]] = "model"
    Parameters: ClassVar[type[Parameters]] = Parameters

    def quantised(self, parameters: Any) -> bool:
        """Does the base stand in 4 bit while this method trains on it?"""
        return isinstance(parameters, QuantisationParameters)

    def attach(self, model: Any, parameters: Any, adapter_dtype: str) -> Any:
        """Make ``model`` ready to train: choose what is trainable, add an adapter. Seeded by the caller."""
        return model

    def trainer(self, job: "Job") -> Any:
        """The built TRL (or Transformers) trainer of this stage; the caller checks it and calls ``train()``."""
        raise NotImplementedError
