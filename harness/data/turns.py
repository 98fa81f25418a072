"""Chat turns: the roles and layouts found in files, brought to one form and checked for order."""

import json
import math
import re
from typing import Any

Message = dict[str, str]

ROLES = {
    "system": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "bot": "assistant",
    "model": "assistant",
}

# Anthropic's transcripts part turns by an empty line, so that "Human:" inside an answer is no turn.
PARTED_TURN = re.compile(r"(?:\A\s*|\n\n)(Human|Assistant):")
LINE_TURN = re.compile(r"^\s*(Human|Assistant):", re.MULTILINE)


class BadRecord(Exception):
    """A record that can't be used; the message says why, as in "with an empty turn"."""


def text_of(value: Any, field: str) -> str:
    """The field's text; numbers are written out, a missing value is empty. Raises BadRecord for anything else."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and value and all(_is_text_part(part) for part in value):
        return "".join(part["text"] for part in value)
    if not isinstance(value, str):
        raise BadRecord(f"with {field} that is not text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadRecord(f"with {field} that is not valid Unicode") from None
    return value


def _is_text_part(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)


def decoded(value: Any) -> Any:
    """A list or message that a CSV cell or a Parquet column holds as JSON text; any other value unchanged."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    try:
        content = json.loads(value)
    except (json.JSONDecodeError, RecursionError):
        return value
    turns = content if isinstance(content, list) else [content]
    is_chat = bool(turns) and all(isinstance(turn, dict) and ("role" in turn or "from" in turn) for turn in turns)
    return content if is_chat else value


def is_chat(value: Any) -> bool:
    """Whether a field holds messages: a list of them, or a single one."""
    return isinstance(decoded(value), (list, dict))


def messages_of(value: Any, field: str) -> list[Message]:
    """Messages with the roles system, user and assistant, from ``role``/``content`` or ``from``/``value`` turns.

    Takes a list of turns, a single turn, or either as JSON text. Raises BadRecord.
    """
    value = decoded(value)
    turns = [value] if isinstance(value, dict) else value
    if turns is None or turns == "":
        return []
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise BadRecord(f"with {field} that is not a list of messages")
    return [_message(turn, field) for turn in turns]


def _message(turn: dict[str, Any], field: str) -> Message:
    role = turn.get("role") or turn.get("from")
    if str(role).lower() not in ROLES:
        raise BadRecord(f"with a turn of role {role!r} in {field}, not system, user or assistant")
    content = turn.get("content") if turn.get("content") is not None else turn.get("value")
    return {"role": ROLES[str(role).lower()], "content": text_of(content, f"{field} content")}


def is_transcript(value: Any) -> bool:
    """Whether a text opens as a transcript does: with a ``Human:`` turn."""
    return isinstance(value, str) and value.lstrip().startswith("Human:")


def parse_transcript(text: str) -> list[Message]:
    """The messages of a ``Human:`` / ``Assistant:`` transcript; an open ``Assistant:`` at its end is left out."""
    marker = PARTED_TURN if "\n\nAssistant:" in text or "\n\nHuman:" in text.lstrip() else LINE_TURN
    _, *pieces = marker.split(text)
    roles = ["user" if name == "Human" else "assistant" for name in pieces[0::2]]
    messages = [{"role": role, "content": content.strip()} for role, content in zip(roles, pieces[1::2], strict=True)]
    if messages and messages[-1] == {"role": "assistant", "content": ""}:
        messages.pop()
    return messages


def check_turns(messages: list[Message]) -> None:
    """Raises BadRecord unless the turns are: perhaps a system turn, then user and assistant by turns, none empty,
    an assistant at the end."""
    turns = messages[1:] if messages and messages[0]["role"] == "system" else messages
    if not turns or turns[0]["role"] != "user":
        raise BadRecord("without a prompt: the first turn is not the user's")
    if turns[-1]["role"] != "assistant" or not turns[-1]["content"].strip():
        raise BadRecord("without an answer: the last turn is not the assistant's, or is empty")
    if any(turn["role"] != ("user", "assistant")[place % 2] for place, turn in enumerate(turns)):
        raise BadRecord("with user and assistant not taking turns")
    if not all(turn["content"].strip() for turn in turns):
        raise BadRecord("with an empty turn")


def common_prompt(chosen: list[Message], rejected: list[Message]) -> int:
    """How many leading messages two conversations share, counted back to the last shared turn of the user."""
    shared = 0
    for first, second in zip(chosen, rejected, strict=False):
        if first != second:
            break
        shared += 1
    while shared and chosen[shared - 1]["role"] != "user":
        shared -= 1
    return shared
