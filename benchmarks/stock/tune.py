"""Supervised fine-tuning as torchtune's single-device recipes do it, for Llama: run by an interpreter that has
torchtune. Its recipes read their own datasets and checkpoints of published shapes alone, so that what they call is
called here, in their order.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torchtune.models import llama2, llama3_2
from torchtune.models.convert_weights import hf_to_tune
from torchtune.modules.loss import CEWithChunkedOutputLoss
from torchtune.modules.peft import get_adapter_params, set_trainable_params
from torchtune.training import set_default_dtype, set_seed
from transformers import AutoTokenizer, get_scheduler

from benchmarks.stock.options import add_sft_options, parser
from benchmarks.stock.watch import Watch

ALL_LINEAR: dict[str, Any] = {
    "lora_attn_modules": ["q_proj", "k_proj", "v_proj", "output_proj"],
    "apply_lora_to_mlp": True,
    "apply_lora_to_output": False,
}


def main() -> None:
    """Train on examples as the command line says, and write down what was watched."""
    cli = parser(__doc__ or "")
    add_sft_options(cli)
    options = cli.parse_args()
    watch = Watch(options.device)
    dtype, device = getattr(torch, options.dtype), torch.device(options.device)
    set_seed(seed=options.seed)
    with set_default_dtype(dtype), device:
        model = built(options)
    if options.lora_rank:
        set_trainable_params(model, get_adapter_params(model))
    loss_of = CEWithChunkedOutputLoss()
    model.set_num_output_chunks(loss_of.num_output_chunks)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=options.learning_rate, weight_decay=options.weight_decay, fused=True)
    rate = get_scheduler(options.schedule, optimizer, options.warmup_steps, options.steps)
    batches = list(read(options))
    began = time.perf_counter()
    watch.begin()
    for ids, labels in batches:
        watch.saw(ids, labels)
        ids, labels = ids.to(device), labels.to(device)
        after = torch.hstack((labels[:, 1:], torch.full_like(labels[:, :1], loss_of.ignore_index)))
        loss = loss_of(model(ids), after)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        rate.step()
        watch.losses.append(loss.item())
        watch.end_step()
    mean = sum(watch.losses) / len(watch.losses)
    options.timings.write_text(json.dumps({"train_seconds": time.perf_counter() - began, "mean_loss": mean}))
    if options.watch:
        watch.write(options.watch)


def built(options: Any) -> Any:
    """The model with its weights, in torchtune's own modules."""
    config = json.loads((Path(options.model) / "config.json").read_text())
    rope = config["rope_parameters"]
    sizes = {
        "vocab_size": config["vocab_size"],
        "num_layers": config["num_hidden_layers"],
        "num_heads": config["num_attention_heads"],
        "num_kv_heads": config["num_key_value_heads"],
        "embed_dim": config["hidden_size"],
        "intermediate_dim": config["intermediate_size"],
        "max_seq_len": options.max_length,
        "norm_eps": config["rms_norm_eps"],
    }
    family: Any = (llama2.llama2, llama2.lora_llama2)
    if rope["rope_type"] == "llama3":
        family = (llama3_2.llama3_2, llama3_2.lora_llama3_2)
        sizes |= {
            "rope_base": rope["rope_theta"],
            "scale_factor": rope["factor"],
            "tie_word_embeddings": config["tie_word_embeddings"],
        }
    if options.lora_rank:
        lora = {"lora_rank": options.lora_rank, "lora_alpha": options.lora_alpha, "quantize_base": options.four_bit}
        model = family[1](**ALL_LINEAR, **sizes, **lora)
    else:
        model = family[0](**sizes)
    weights = {
        name: tensor
        for file in sorted(Path(options.model).glob("*.safetensors"))
        for name, tensor in load_file(file).items()
    }
    heads = {"num_heads": sizes["num_heads"], "num_kv_heads": sizes["num_kv_heads"], "dim": sizes["embed_dim"]}
    found = model.load_state_dict(hf_to_tune(weights, **heads, head_dim=config["head_dim"]), strict=False)
    lacking = [name for name in found.missing_keys if ".lora_" not in name]
    if lacking or found.unexpected_keys:
        raise ValueError(f"weights do not fit: without {lacking[:3]}, besides {found.unexpected_keys[:3]}")
    return model


def read(options: Any) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Ids and labels of each step; raises ValueError for rows of several lengths."""
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    rows = [json.loads(line) for line in Path(options.data).read_text().splitlines()]
    ids = [tokenizer(row["prompt"] + row["completion"] + tokenizer.eos_token)["input_ids"] for row in rows]
    prompts = [len(tokenizer(row["prompt"])["input_ids"]) for row in rows]
    labels = [[-100] * known + row[known:] for row, known in zip(ids, prompts, strict=True)]
    if len({len(row) for row in ids}) > 1:
        raise ValueError("rows of several lengths: torchtune's collator is not used here")
    for start in range(0, len(rows), options.batch_size):
        batch = slice(start, start + options.batch_size)
        yield torch.tensor(ids[batch]), torch.tensor(labels[batch])


if __name__ == "__main__":
    main()
