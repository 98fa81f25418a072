"""From a record's fields to an example: one reader for each way in which data files are laid out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.data.records import Record
from harness.data.turns import (
    BadRecord,
    Message,
    check_turns,
    common_prompt,
    is_chat,
    is_transcript,
    messages_of,
    parse_transcript,
    text_of,
)

Example = dict[str, Any]

CHATS = ("messages", "conversations", "conversation")
PROMPTS = ("prompt", "question", "query", "input")
PAIRS = (
    ("prompt", "completion"),
    ("prompt", "response"),
    ("question", "answer"),
    ("query", "response"),
    ("input", "output"),
)
ANSWERS = ("output", "response")


@dataclass(frozen=True)
class Normaliser:
    """A recognised format and its reader, which raises BadRecord for a record that gives no example."""

    format: str
    read: Callable[[Record], Example]


def normaliser(kind: str, fields: set[str], records: list[Record]) -> Normaliser | None:
    """The reader for records of these fields, as ``"sft"`` or ``"preference"`` data; None where no format fits."""
    if kind == "preference":
        return _preference_normaliser(fields, records) if {"chosen", "rejected"} <= fields else None
    return _sft_normaliser(fields)


def _sft_normaliser(fields: set[str]) -> Normaliser | None:
    chat = _first(CHATS, fields)
    if chat:
        return Normaliser("messages" if chat == "messages" else "sharegpt", lambda record: _sft_chat(record, chat))
    if "instruction" in fields and "instances" in fields:
        return Normaliser("self-instruct", lambda record: _alpaca(record, "output"))
    answer = _first(ANSWERS, fields)
    if "instruction" in fields and answer:
        return Normaliser("alpaca", lambda record: _alpaca(record, answer))
    pair = next((pair for pair in PAIRS if set(pair) <= fields), None)
    if pair:
        return Normaliser("prompt/completion", lambda record: _pair(record, pair, "system" in fields))
    return None


def _preference_normaliser(fields: set[str], records: list[Record]) -> Normaliser:
    chat = _first(CHATS, fields)
    if chat:
        form = "messages preference" if chat == "messages" else "sharegpt preference"
        return Normaliser(form, lambda record: _preference_chat(record, _system(record) + _chat(record, chat)))
    if "instruction" in fields:
        return Normaliser("alpaca preference", lambda record: _preference_chat(record, _alpaca_context(record)))
    prompt = _first(PROMPTS, fields)
    if prompt:
        return Normaliser("preference", lambda record: _preference(record, prompt, "system" in fields))
    form = "transcript" if any(is_transcript(record.get("chosen")) for record in records) else "preference"
    return Normaliser(form, lambda record: _preference_chat(record, []))


def _sft_chat(record: Record, field: str) -> Example:
    return _sft(_system(record) + _chat(record, field))


def _alpaca(record: Record, answer: str) -> Example:
    return _sft([*_alpaca_context(record), _assistant(text_of(record.get(answer), answer))])


def _pair(record: Record, pair: tuple[str, str], has_system: bool) -> Example:
    question, answer = record.get(pair[0]), record.get(pair[1])
    if has_system or is_chat(question) or is_chat(answer):
        return _sft(_conversation(_system(record) + _context(question, pair[0]), answer, pair[1]))
    prompt, completion = text_of(question, pair[0]), text_of(answer, pair[1])
    _need(prompt, "without a prompt")
    _need(completion, "without an answer")
    return {"prompt": _ended(prompt, as_written=pair == PAIRS[0]), "completion": completion}


def _preference(record: Record, field: str, has_system: bool) -> Example:
    prompt, sides = record.get(field), (record.get("chosen"), record.get("rejected"))
    if has_system or is_chat(prompt) or is_transcript(prompt) or any(map(is_chat, sides)):
        return _preference_chat(record, _system(record) + _context(prompt, field))
    question, chosen, rejected = text_of(prompt, field), *map(text_of, sides, ("chosen", "rejected"))
    _need(question, "without a prompt")
    _need(chosen, "without an answer in chosen")
    _need(rejected, "without an answer in rejected")
    if chosen.strip() == rejected.strip():
        raise BadRecord("with chosen equal to rejected")
    return {"prompt": _ended(question, as_written=field == "prompt"), "chosen": chosen, "rejected": rejected}


def _preference_chat(record: Record, context: list[Message]) -> Example:
    chosen = _conversation(context, record.get("chosen"), "chosen")
    rejected = _conversation(context, record.get("rejected"), "rejected")
    check_turns(chosen)
    check_turns(rejected)
    if _stripped(chosen) == _stripped(rejected):
        raise BadRecord("with chosen equal to rejected")
    length = common_prompt(chosen, rejected)
    if length == 0:
        raise BadRecord("without a prompt that chosen and rejected share")
    return {"prompt": chosen[:length], "chosen": chosen[length:], "rejected": rejected[length:]}


def _conversation(context: list[Message], answer: Any, field: str) -> list[Message]:
    """The whole conversation that an answer ends: the answer alone where it repeats its context."""
    if is_chat(answer):
        turns = messages_of(answer, field)
        if turns and turns[0]["role"] == "user":
            return context[: _leading_system(context)] + turns
        return turns if turns and turns[0]["role"] == "system" else context + turns
    if not context and is_transcript(answer):
        return parse_transcript(text_of(answer, field))
    return [*context, _assistant(text_of(answer, field))]


def _context(prompt: Any, field: str) -> list[Message]:
    """The turns before the answer, from messages, a transcript or plain text."""
    if is_chat(prompt):
        return messages_of(prompt, field)
    text = text_of(prompt, field)
    if is_transcript(text):
        return parse_transcript(text)
    return [{"role": "user", "content": text}] if text.strip() else []


def _alpaca_context(record: Record) -> list[Message]:
    parts = [text_of(record.get("instruction"), "instruction")]
    parts.append(text_of(record.get("input") or record.get("context"), "input"))
    question = "\n\n".join(part for part in parts if part.strip())
    return [*_system(record), *_history(record), {"role": "user", "content": question}]


def _history(record: Record) -> list[Message]:
    """LLaMA-Factory's earlier rounds of an Alpaca record: ``[[question, answer], ...]``."""
    rounds = record.get("history") or []
    if not isinstance(rounds, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in rounds):
        raise BadRecord("with a history that is not a list of [question, answer]")
    return [
        {"role": role, "content": text_of(text, "history")}
        for pair in rounds
        for role, text in zip(("user", "assistant"), pair, strict=True)
    ]


def _chat(record: Record, field: str) -> list[Message]:
    return messages_of(record.get(field), field)


def _system(record: Record) -> list[Message]:
    content = text_of(record.get("system"), "system")
    return [{"role": "system", "content": content}] if content.strip() else []


def _sft(messages: list[Message]) -> Example:
    check_turns(messages)
    return {"messages": messages}


def _assistant(content: str) -> Message:
    return {"role": "assistant", "content": content}


def _leading_system(messages: list[Message]) -> int:
    return int(bool(messages) and messages[0]["role"] == "system")


def _stripped(messages: list[Message]) -> list[tuple[str, str]]:
    return [(message["role"], message["content"].strip()) for message in messages]


def _ended(prompt: str, as_written: bool) -> str:
    """Fields named prompt and completion are joined as written; a question that stands alone gets a line's end."""
    return prompt if as_written or prompt[-1:].isspace() else prompt + "\n"


def _need(text: str, otherwise: str) -> None:
    if not text.strip():
        raise BadRecord(otherwise)


def _first(names: tuple[str, ...], fields: set[str]) -> str | None:
    return next((name for name in names if name in fields), None)
