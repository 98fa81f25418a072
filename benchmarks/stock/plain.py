"""Supervised fine-tuning as one writes it without TRL: Transformers' own trainer, and PEFT."""

import time

from datasets import load_dataset
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    DataCollatorForSeq2Seq,
    Trainer,
    TrainingArguments,
    set_seed,
)

from benchmarks.stock.options import add_sft_options, loading, note, parser, trainer_settings
from benchmarks.stock.watch import Watch


def main() -> None:
    """Train on examples as the command line says, and note the loss and the seconds."""
    cli = parser(__doc__ or "")
    add_sft_options(cli)
    options = cli.parse_args()
    watch = Watch(options.device)
    tokenizer = AutoTokenizer.from_pretrained(options.model)

    def encoded(row: dict[str, str]) -> dict[str, list[int]]:
        prompt = tokenizer(row["prompt"])["input_ids"]
        ids = tokenizer(row["prompt"] + row["completion"] + tokenizer.eos_token)["input_ids"]
        return {"input_ids": ids, "labels": [-100] * len(prompt) + ids[len(prompt) :]}

    model = AutoModelForCausalLM.from_pretrained(options.model, **loading(options))
    if options.four_bit:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    if options.lora_rank:
        set_seed(options.seed)
        model = get_peft_model(
            model,
            LoraConfig(
                r=options.lora_rank,
                lora_alpha=options.lora_alpha,
                target_modules=options.lora_targets,
                task_type="CAUSAL_LM",
            ),
        )
    rows = load_dataset("json", data_files=options.data, split="train")
    trainer = Trainer(
        model=model,
        args=TrainingArguments(**trainer_settings(options)),
        train_dataset=rows.map(encoded, remove_columns=rows.column_names),
        data_collator=DataCollatorForSeq2Seq(tokenizer),
    )
    watch.follow(trainer)
    began = time.perf_counter()
    trained = trainer.train()
    note(options, time.perf_counter() - began, trained)
    if options.watch:
        watch.write(options.watch)


if __name__ == "__main__":
    main()
