"""Direct preference optimisation with TRL, over pairs that are tokenised and in their final order.

The reference is the SFT stage's output: for full weights its log-probabilities, computed before the first step, or
a frozen model loaded from the stage's artifact; for a continued adapter a frozen copy of it; for a fresh adapter on
the merged stage, the model with that adapter off.
"""

import math
from typing import Any

from methods.job import Job
from methods.trainer_arguments import trainer_arguments

LN_2 = math.log(2.0)  # DPO's loss while the model is its own reference


def preference_trainer(job: Job) -> Any:
    """TRL's DPOTrainer; its reference log-probabilities live in the cell's own folder, never in a shared cache."""
    from datasets import Dataset
    from trl import DPOConfig

    dataset = Dataset.from_list(job.rows)
    whole_model = not hasattr(job.model, "peft_config")
    precompute = whole_model and job.parameters.reference == "precomputed"
    arguments = DPOConfig(
        **trainer_arguments(job),
        beta=job.parameters.beta,
        loss_type=[job.parameters.loss_type],
        label_smoothing=job.parameters.label_smoothing,
        max_length=job.sequence_length,
        precompute_ref_log_probs=precompute,
        precompute_ref_batch_size=job.batch_size,
        disable_dropout=False,  # the cell's dropout is what runs
        activation_offloading=False,
    )
    reference = job.load_reference() if whole_model and not precompute else None
    return _trainer_class()(
        model=job.model,
        ref_model=reference,
        args=arguments,
        train_dataset=dataset,
        processing_class=job.tokenizer,
        callbacks=job.callbacks,
    )


def _trainer_class() -> Any:
    from trl import DPOTrainer

    from methods.in_order import InOrder

    class PairsInOrder(InOrder, DPOTrainer):
        """Takes pairs as they are, and keeps reference log-probabilities in memory."""

        def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
            return dataset

        def _precompute_ref_logps(self, dataset: Any, name: str, batch_size: int) -> Any:
            # TRL's own cache has no kernel in its key and lies where other cells find it.
            was_training = self.model.training
            self.model.eval()
            columns: dict[str, list[float]] = {"ref_chosen_logps": [], "ref_rejected_logps": []}
            rows = dataset.to_list()
            for start in range(0, len(rows), batch_size):
                batch = self.data_collator(rows[start : start + batch_size])
                batch = {key: value.to(self.accelerator.device) for key, value in batch.items()}
                chosen, rejected = self.compute_ref_log_probs(self.model, batch)
                columns["ref_chosen_logps"] += chosen.tolist()
                columns["ref_rejected_logps"] += rejected.tolist()
            self.model.train(was_training)
            return dataset.add_column("ref_chosen_logps", columns["ref_chosen_logps"]).add_column(
                "ref_rejected_logps", columns["ref_rejected_logps"]
            )

    return PairsInOrder
