"""Supervised fine-tuning as one writes it with TRL: all weights, LoRA, or LoRA over a base in 4 bit."""

import time

from datasets import load_dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
from trl import SFTConfig, SFTTrainer

from benchmarks.stock.options import add_sft_options, loading, note, parser, shared_settings
from benchmarks.stock.watch import Watch


def main() -> None:
    """Train on examples as the command line says, and note the loss and the seconds."""
    cli = parser(__doc__ or "")
    add_sft_options(cli)
    cli.add_argument("--liger", action="store_true")
    options = cli.parse_args()
    watch = Watch(options.device) if options.watch else None

    model = AutoModelForCausalLM.from_pretrained(options.model, **loading(options))
    if options.four_bit and watch is None:
        # lm-eval 0.4.13 hands load_in_4bit to Transformers 5, which refuses it; a checkpoint in 4 bit says it itself.
        model.save_pretrained(f"{options.output}/base")
    lora = LoraConfig(
        r=options.lora_rank or 8,
        lora_alpha=options.lora_alpha,
        target_modules=options.lora_targets,
        task_type="CAUSAL_LM",
    )
    set_seed(options.seed)
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(**shared_settings(options), use_liger_kernel=options.liger),
        train_dataset=load_dataset("json", data_files=options.data, split="train"),
        processing_class=AutoTokenizer.from_pretrained(options.model),
        peft_config=lora if options.lora_rank else None,
    )
    if watch:
        watch.follow(trainer)
    began = time.perf_counter()
    trained = trainer.train()
    seconds = time.perf_counter() - began
    note(options, seconds, trained)
    if watch:
        watch.write(options.watch)
    else:
        trainer.save_model(options.output)


if __name__ == "__main__":
    main()
