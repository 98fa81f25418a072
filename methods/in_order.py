"""A trainer that sees its examples in the order given (the seed has fixed it already, the same for every arm), and
computes an adapter's products in the same type over any base."""

from typing import Any

from torch.utils.data import SequentialSampler


class InOrder:
    """Mixed into a Transformers trainer: no shuffling, and adapters keep the type that they were given.

    TRL casts a trained adapter on a 4-bit base to bfloat16 while it builds the trainer. That would make LoRA and
    QLoRA differ in more than the base's bits, so weights and types are put back as they were.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        model = kwargs["model"]
        before = {name: p.data for name, p in model.named_parameters() if p.requires_grad}
        super().__init__(*args, **kwargs)
        for name, parameter in self.model.named_parameters():  # type: ignore[attr-defined]
            if name in before:
                parameter.data = before[name]

    def training_step(self, *args: Any, **kwargs: Any) -> Any:
        """A step in which autocast, where it is on, finds inputs as they are.

        PEFT would lift a layer's input to its adapter's type first, for autocast to lower it again: of every layer two
        copies and one to keep, of the same numbers. Over 4-bit weights on a GPU it does not, so that LoRA and QLoRA
        would differ in this as well.
        """
        from peft.helpers import disable_input_dtype_casting

        mixed = self.accelerator.mixed_precision != "no"  # type: ignore[attr-defined]
        with disable_input_dtype_casting(self.model, active=mixed):  # type: ignore[attr-defined]
            return super().training_step(*args, **kwargs)  # type: ignore[misc]

    def _get_train_sampler(self, *args: Any, **kwargs: Any) -> SequentialSampler:
        return SequentialSampler(self.train_dataset)  # type: ignore[attr-defined]

    def floating_point_ops(self, inputs: Any) -> int:
        """Nothing: Transformers would walk through every module at each step for an estimate that nobody reads."""
        return 0
