"""Direct preference optimisation with TRL, over pairs that are tokenised and in their final order.

The reference is the SFT stage's output: for full weights its log-probabilities, computed before the first step, or
a frozen model loaded from the stage's artifact; for a continued adapter a frozen copy of it; for a fresh adapter on
the merged stage, the model with that adapter off.
"""

from typing import Any

from methods.job import Job
from methods.trainer_arguments import trainer_arguments


def preference_trainer(job: Job) -> Any:
    """TRL's DPOTrainer, its reference as the module says; precomputed values lie in the cell's own folder."""
    from trl import DPOConfig

    whole_model = not hasattr(job.model, "peft_config")
    precompute = whole_model and job.parameters.reference == "precomputed"
    arguments = DPOConfig(
        **trainer_arguments(job),
        beta=job.parameters.beta,
        loss_type=[job.parameters.loss_type],
        f_divergence_type="reverse_kl",
        use_weighting=False,
        sync_ref_model=False,
        label_smoothing=job.parameters.label_smoothing,
        max_length=job.sequence_length,
        precompute_ref_log_probs=precompute,
        precompute_ref_batch_size=job.batch_size,
        disable_dropout=False,  # the cell's dropout is what runs
        activation_offloading=False,
    )
    trainer = _trainer_class()(
        model=job.model,
        ref_model=job.load_reference() if whole_model and not precompute else None,
        args=arguments,
        train_dataset=_pairs(job),
        processing_class=job.tokenizer,
        callbacks=job.callbacks,
    )
    if not whole_model:
        _settle_reference(trainer.model, fresh=job.parameters.adapter == "fresh")
    return trainer


def _pairs(job: Job) -> Any:
    """The pairs as files in the cell's folder, where TRL puts its reference values beside them.

    Its cache has no kernel in its key, so no other cell may find it.
    """
    from datasets import Dataset, load_from_disk

    folder = job.folder / "pairs"
    Dataset.from_list(job.rows).save_to_disk(folder)
    return load_from_disk(folder)


def _settle_reference(model: Any, *, fresh: bool) -> None:
    """Make the reference of an adapter what it should be.

    TRL keeps a frozen copy even of a fresh adapter, of which there is no need: without it, it switches the adapter
    off. A continued adapter's copy comes in float32, whatever the adapter is. And the reference would be read with
    the policy's dropout on.
    """
    import torch

    if fresh:
        model.delete_adapter("ref")
    named = dict(model.named_parameters())
    for name, parameter in named.items():
        if ".ref." in name:
            parameter.data = parameter.data.to(named[name.replace(".ref.", ".default.")].dtype)

    def enter(module: Any, inputs: Any) -> None:
        module.reading_reference = module.training and not torch.is_grad_enabled()
        if module.reading_reference:
            module.eval()

    def leave(module: Any, inputs: Any, outputs: Any) -> None:
        if module.reading_reference:
            module.train()

    model.register_forward_pre_hook(enter)
    model.register_forward_hook(leave)


def _trainer_class() -> Any:
    from trl import DPOTrainer

    from methods.in_order import InOrder

    class PairsInOrder(InOrder, DPOTrainer):
        """Takes pairs that are tokenised already."""

        def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
            return dataset

    return PairsInOrder
