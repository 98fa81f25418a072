"""Supervised fine-tuning as one writes it with TRL: all weights, LoRA, or LoRA over a base in 4 bit."""

import time

import torch
from datasets import load_dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
from trl import SFTConfig, SFTTrainer

from benchmarks.stock.options import note, parser, shared_settings


def main() -> None:
    """Train on examples as the command line says, and note the loss and the seconds."""
    cli = parser(__doc__ or "")
    cli.add_argument("--lora-rank", type=int)
    cli.add_argument("--lora-alpha", type=float)
    cli.add_argument("--lora-targets", default="all-linear")
    options = cli.parse_args()

    four_bit = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32,
    )
    model = AutoModelForCausalLM.from_pretrained(
        options.model, dtype=torch.float32, quantization_config=four_bit if options.four_bit else None
    )
    if options.four_bit:
        # lm-eval 0.4.13 hands load_in_4bit to Transformers 5, which refuses it; a checkpoint in 4 bit says it itself.
        model.save_pretrained(f"{options.output}/base")
    lora = LoraConfig(
        r=options.lora_rank or 8,
        lora_alpha=options.lora_alpha,
        target_modules=options.lora_targets,
        task_type="CAUSAL_LM",
    )
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(**shared_settings(options)),
        train_dataset=load_dataset("json", data_files=options.data, split="train"),
        processing_class=AutoTokenizer.from_pretrained(options.model),
        peft_config=lora if options.lora_rank else None,
    )
    began = time.perf_counter()
    trained = trainer.train()
    seconds = time.perf_counter() - began
    trainer.save_model(options.output)
    note(options, seconds, trained)


if __name__ == "__main__":
    main()
