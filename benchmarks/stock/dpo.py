"""Direct preference optimisation as one writes it with TRL: an SFT adapter is trained further on pairs."""

import time

import torch
from datasets import load_dataset
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer

from benchmarks.stock.options import note, parser, shared_settings


def main() -> None:
    """Train on pairs as the command line says, and note the loss and the seconds."""
    cli = parser(__doc__ or "")
    cli.add_argument("--adapter", required=True)
    cli.add_argument("--beta", type=float, default=0.1)
    options = cli.parse_args()

    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)
    trainer = DPOTrainer(
        model=PeftModel.from_pretrained(model, options.adapter, is_trainable=True),
        args=DPOConfig(beta=options.beta, **shared_settings(options)),
        train_dataset=load_dataset("json", data_files=options.data, split="train"),
        processing_class=AutoTokenizer.from_pretrained(options.model),
    )
    began = time.perf_counter()
    trained = trainer.train()
    seconds = time.perf_counter() - began
    trainer.save_model(options.output)
    note(options, seconds, trained)


if __name__ == "__main__":
    main()
