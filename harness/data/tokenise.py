"""Examples as token ids, in the form that TRL's collators for SFT and DPO take.

What a model is trained on must begin with exactly the tokens that it will be asked with: the prompt is tokenised
alone, as at inference, and the answer as its continuation, closed by the tokenizer's eos token. A chat goes through
the tokenizer's chat template, or through ``DEFAULT_CHAT_TEMPLATE`` where it has none.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.data.normal import Example
from harness.data.render import (
    DEFAULT_CHAT_TEMPLATE,
    Segment,
    preference_segments,
    render,
    sft_segments,
)
from harness.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

__all__ = [
    "DEFAULT_CHAT_TEMPLATE",
    "Encoded",
    "encode_preference",
    "encode_sft",
    "lengths",
    "render",
    "sequence_lengths",
]

Encoded = dict[str, list[int]]


def encode_sft(example: Example, tokenizer: "PreTrainedTokenizerFast") -> Encoded:
    """``input_ids`` and, as long, ``completion_mask``: 1 on the tokens that carry loss.

    These are the completion, or every assistant turn, each with its end marker; the sequence ends with the eos
    token. TRL: ``labels`` are the ids where the mask is 1, else -100. Raises UserError for a tokenizer without an
    eos token, and for a chat that its template refuses.
    """
    eos = _eos(tokenizer)
    segments, start = sft_segments(example, tokenizer)
    pieces = _pieces(segments, start, tokenizer)
    ids: list[int] = []
    mask: list[int] = []
    for segment, piece in zip(segments, pieces, strict=True):
        ids += piece
        learned = _through_eos(piece, eos, tokenizer) if segment.learned else 0
        mask += [1] * learned + [0] * (len(piece) - learned)
    return _closed(ids, mask, eos)


def encode_preference(example: Example, tokenizer: "PreTrainedTokenizerFast") -> Encoded:
    """``prompt_ids``, ``chosen_ids`` and ``rejected_ids``; prompt and answer together are one sequence.

    Each answer ends with the eos token. All of an answer's tokens count, those of further user turns in it too, as
    in TRL. Raises UserError as ``encode_sft`` does.
    """
    eos = _eos(tokenizer)
    encoded: Encoded = {}
    for answer in ("chosen", "rejected"):
        segments, start = preference_segments(example, answer, tokenizer)
        prompt, completion = _pieces(segments, start, tokenizer)
        completion = completion[: _through_eos(completion, eos, tokenizer)]
        encoded["prompt_ids"] = prompt
        encoded[f"{answer}_ids"] = completion if completion[-1:] == [eos] else [*completion, eos]
    return encoded


def lengths(encoded: list[Encoded]) -> list[int]:
    """Tokens of each encoded example; of a preference pair, those of its prompt with the longer answer."""
    return [max(sequence_lengths(example)) for example in encoded]


def sequence_lengths(example: Mapping[str, list[int]]) -> list[int]:
    """Tokens of each sequence that an encoded example is: one, or a pair's prompt with each of its answers."""
    if "input_ids" in example:
        return [len(example["input_ids"])]
    return [len(example["prompt_ids"]) + len(example[f"{answer}_ids"]) for answer in ("chosen", "rejected")]


def _eos(tokenizer: "PreTrainedTokenizerFast") -> int:
    if tokenizer.eos_token_id is None:
        raise UserError(
            f"tokenizer {tokenizer.name_or_path or '(unnamed)'}: has no eos token, so that answers could not end; "
            "set eos_token in its tokenizer_config.json"
        )
    return int(tokenizer.eos_token_id)


def _closed(ids: list[int], mask: list[int], eos: int) -> Encoded:
    """Ends the sequence with its last learned token, which is eos: template text after the end is never asked for."""
    end = len(mask) - mask[::-1].index(1) if 1 in mask else len(mask)
    ids, mask = ids[:end], mask[:end]
    if ids[-1:] != [eos]:
        ids, mask = [*ids, eos], [*mask, 1]
    return {"input_ids": ids, "completion_mask": mask}


def _through_eos(piece: list[int], eos: int, tokenizer: "PreTrainedTokenizerFast") -> int:
    """How many tokens of an answer to learn: up to an eos that only white space follows, else all."""
    if eos not in piece:
        return len(piece)
    end = len(piece) - piece[::-1].index(eos)
    return len(piece) if str(tokenizer.decode(piece[end:])).strip() else end


def _pieces(segments: list[Segment], start: list[int], tokenizer: "PreTrainedTokenizerFast") -> list[list[int]]:
    """The ids of each segment: of the first one alone, of each other one as the continuation of all before it."""
    text = segments[0].text
    before = _ids(text, tokenizer)
    # A prompt may bring its own opening token, as chat templates do; it is not doubled.
    pieces = [before if start and before[: len(start)] == start else [*start, *before]]
    for segment in segments[1:]:
        text += segment.text
        whole = _ids(text, tokenizer)
        if whole[: len(before)] == before:
            pieces.append(whole[len(before) :])
            before = whole
        else:
            pieces.append(_continuation(segment.text, tokenizer))
            before = [*before, *pieces[-1]]
    return pieces


def _continuation(text: str, tokenizer: "PreTrainedTokenizerFast") -> list[int]:
    """The ids of a text that goes on in the middle of a word, where the whole would merge across the seam.

    Tokenised after a line's end, and not by itself, since tokenizers of the SentencePiece kind would put a space
    before it.
    """
    anchor, whole = _ids("\n", tokenizer), _ids("\n" + text, tokenizer)
    return whole[len(anchor) :] if whole[: len(anchor)] == anchor else _ids(text, tokenizer)


def _ids(text: str, tokenizer: "PreTrainedTokenizerFast") -> list[int]:
    return list(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]) if text else []
