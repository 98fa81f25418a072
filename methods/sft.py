"""Supervised fine-tuning with TRL: the loss is on the answer's tokens and its end token alone."""

from typing import Any

from methods.job import Job
from methods.loss import LossOfTheModel, fuse_with_liger, without_adapter
from methods.trainer_arguments import trainer_arguments

IGNORED = -100  # the label that cross-entropy leaves out


def sft_trainer(job: Job) -> Any:
    """TRL's SFTTrainer over examples that are tokenised, masked and in their final order.

    Packed, those of a micro-batch stand in one row: positions begin anew with each, by which Transformers' masks and
    FlashAttention keep them apart.
    """
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    packed = job.kernels["packing"]
    rows = [{"input_ids": row["input_ids"], "labels": _labels(row)} for row in job.rows]
    arguments = SFTConfig(
        **trainer_arguments(job),
        loss_type="nll",
        max_length=None if packed else job.sequence_length,  # no row is longer: it is not TRL's to cut
        shuffle_dataset=False,
        packing=False,  # TRL's name for other batches: as many examples as a sequence holds
        padding_free=packed,
        completion_only_loss=False,  # the labels say it already
        assistant_only_loss=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        activation_offloading=False,
    )
    own_loss = (LossOfTheModel,) if job.kernels["loss"] != "chunked" else ()
    trainer = _in_order(*own_loss, SFTTrainer)(
        model=job.model,
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        processing_class=job.tokenizer,
        callbacks=job.callbacks,
    )
    if job.kernels["loss"] == "liger":
        fuse_with_liger(without_adapter(trainer.model))
    return trainer


def _labels(row: dict[str, list[int]]) -> list[int]:
    return [
        token if learned else IGNORED for token, learned in zip(row["input_ids"], row["completion_mask"], strict=True)
    ]


def _in_order(*classes: Any) -> Any:
    from methods.in_order import InOrder

    return type(f"InOrder{classes[-1].__name__}", (InOrder, *classes), {})
