"""A model's ``config.json``: read, and refused unless it describes a causal language model to train."""

import json
from pathlib import Path
from typing import Any

from harness.errors import UserError

# Causal models whose class name keeps the older ending.
_CAUSAL_CLASSES = {"GPT2LMHeadModel", "OpenAIGPTLMHeadModel", "CTRLLMHeadModel"}

# Families that read both ways, or translate, unless their config says is_decoder.
_NOT_CAUSAL_TYPES = {
    *("albert", "bert", "camembert", "deberta", "deberta-v2", "distilbert", "electra", "ernie", "longformer"),
    *("modernbert", "mpnet", "roberta", "xlm-roberta", "bart", "led", "longt5", "m2m_100", "marian", "mbart"),
    *("mt5", "pegasus", "switch_transformers", "t5", "umt5", "clip", "siglip", "vit", "wav2vec2", "whisper"),
}


def read_config(file: Path, named: str | None = None) -> dict[str, Any]:
    """The parsed config in ``file``; raises UserError, which calls it ``named``, unless it is a causal model without
    code of its own."""
    config, where = read_json_object(file, named), named or str(file)
    _refuse_remote_code(config, where)
    _refuse_not_causal(config, where)
    if "transformers_weights" in config:
        raise UserError(f"{where}: 'transformers_weights' is not supported: name the weights model.safetensors")
    if "quantization_config" in config:
        raise UserError(f"{where}: the weights are already quantised: use the unquantised model as base")
    return config


def read_json_object(file: Path, named: str | None = None) -> dict[str, Any]:
    """The JSON object in ``file``; raises UserError when it cannot be read or holds anything else."""
    where = named or str(file)
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{named or file.parent}: no {file.name}") from None
    except OSError as error:
        raise UserError(f"{where}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not JSON: {str(error).splitlines()[0]}") from None
    if not isinstance(value, dict):
        raise UserError(f"{where}: expected a JSON object, got {type(value).__name__}")
    return value


def vocabulary_size(config: dict[str, Any]) -> int | None:
    """Rows of the token embedding, or None where the config does not say."""
    size = config.get("vocab_size")
    return size if isinstance(size, int) else None


def _refuse_remote_code(config: dict[str, Any], where: str) -> None:
    if config.get("auto_map"):
        raise UserError(
            f"{where}: 'auto_map' asks for code from the model's folder, which is never run: use a model "
            "that transformers knows by itself"
        )


def _refuse_not_causal(config: dict[str, Any], where: str) -> None:
    model_type = config.get("model_type")
    if not isinstance(model_type, str):
        raise UserError(f"{where}: no 'model_type': not the config of a transformers model")
    if config.get("is_encoder_decoder"):
        raise UserError(f"{where}: an encoder-decoder ({model_type}), not a causal language model (*ForCausalLM)")
    classes = config.get("architectures") or []
    named = [str(name) for name in classes] if isinstance(classes, list) else [str(classes)]
    if named and not any(name.endswith("ForCausalLM") or name in _CAUSAL_CLASSES for name in named):
        raise UserError(f"{where}: {', '.join(named)} is not a causal language model (*ForCausalLM)")
    if model_type in _NOT_CAUSAL_TYPES and not config.get("is_decoder"):
        raise UserError(f"{where}: {model_type} is not a causal language model (*ForCausalLM)")
