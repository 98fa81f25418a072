"""An example's texts, and texts as comparable words: what splits, duplicates and contamination are judged on."""

import re
import unicodedata

from harness.data.normal import Example

# Chinese and Japanese write no spaces: there each character is a word.
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+")

# Stripped from a word's edges only: signs that carry meaning, as in "25-7=", stay.
PUNCTUATION = ".,;:!?\"'`()[]{}\u2018\u2019\u201c\u201d\u2026\u3001\u3002"


def words(text: str) -> list[str]:
    """The text's words, without case, width or outer punctuation: "(Hello,  World!)" gives hello, world."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    stripped = (word.strip(PUNCTUATION) for word in WORD.findall(folded))
    return [word for word in stripped if word]


def texts(example: Example) -> list[str]:
    """The texts of an example in order: its prompt and answers, or the content of each of its turns."""
    found: list[str] = []
    for field in ("prompt", "completion", "messages", "chosen", "rejected"):
        value = example.get(field, [])
        found += [value] if isinstance(value, str) else [message["content"] for message in value]
    return found


def opening(example: Example) -> str:
    """What an example opens with: its prompt, or in a chat the user's first turn (any system turn left out)."""
    turns = example.get("messages") or example["prompt"]
    if isinstance(turns, str):
        return turns
    return next(message["content"] for message in turns if message["role"] == "user")
