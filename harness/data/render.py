"""Examples as the text that a model reads and writes, cut where the model's own words begin and end."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.data.normal import Example
from harness.data.turns import Message
from harness.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

# For tokenizers without a chat template. The blank line belongs to the next turn, so that an answer is its text
# and the eos token; white space around a turn's content is left out, so that no token spans the seam.
DEFAULT_CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '' if loop.first else '\\n\\n' }}"
    "{{ '### ' + message['role'] | capitalize + ':\\n' + message['content'] | trim }}"
    "{{ eos_token if message['role'] == 'assistant' else '' }}"
    "{% endfor %}"
    "{{ '\\n\\n### Assistant:\\n' if add_generation_prompt else '' }}"
)

# Some templates write today's date into the system turn: fixed, so that a rerun trains on the same tokens.
FIXED_DATE = {
    "%Y": "2024", "%y": "24", "%B": "July", "%b": "Jul", "%m": "07", "%d": "26", "%-d": "26",
    "%A": "Friday", "%a": "Fri", "%H": "12", "%M": "00", "%S": "00",
}  # fmt: skip
FIXED_NOW = (
    "{% macro strftime_now(format) %}{{ format"
    + "".join(f" | replace('{code}', '{value}')" for code, value in FIXED_DATE.items())
    + " }}{% endmacro %}"
)


@dataclass(frozen=True)
class Segment:
    """A stretch of an example's text; ``learned`` where the model is to write it."""

    text: str
    learned: bool


def render(example: Example, tokenizer: "PreTrainedTokenizerFast") -> dict[str, str]:
    """``prompt`` and ``completion`` as text, of a preference pair ``prompt``, ``chosen`` and ``rejected``.

    The prompt is what the model is asked with at inference (of a chat all but the last answer, with the opening of
    the assistant's turn); an answer stands without its end marker. Raises UserError for a chat that its template
    refuses.
    """
    if "messages" in example:
        prompt, answer = example["messages"][:-1], example["messages"][-1:]
        return {"prompt": _opened(prompt, tokenizer), "completion": _answer_text(prompt, answer, tokenizer)}
    answers = ("completion",) if "completion" in example else ("chosen", "rejected")
    if isinstance(example["prompt"], str):
        prompt, space = _seam(example["prompt"])
        return {"prompt": prompt} | {name: space + example[name] for name in answers}
    return {"prompt": _opened(example["prompt"], tokenizer)} | {
        name: _answer_text(example["prompt"], example[name], tokenizer) for name in answers
    }


def sft_segments(example: Example, tokenizer: "PreTrainedTokenizerFast") -> tuple[list[Segment], list[int]]:
    """The segments of an SFT example, and the ids that the tokenizer opens a sequence with where no template does."""
    if "messages" in example:
        return _turn_segments(example["messages"], tokenizer), _template_start(tokenizer)
    prompt, space = _seam(example["prompt"])
    return [Segment(prompt, False), Segment(space + example["completion"], True)], _start(tokenizer)


def preference_segments(
    example: Example, answer: str, tokenizer: "PreTrainedTokenizerFast"
) -> tuple[list[Segment], list[int]]:
    """Prompt and answer (``"chosen"`` or ``"rejected"``) of a pair, and the opening ids as in ``sft_segments``."""
    if isinstance(example["prompt"], str):
        prompt, space = _seam(example["prompt"])
        return [Segment(prompt, False), Segment(space + example[answer], True)], _start(tokenizer)
    segments = _last_segments(example["prompt"], example[answer], tokenizer)
    return segments, _template_start(tokenizer)


def _seam(prompt: str) -> tuple[str, str]:
    """A prompt without its last blanks, and those blanks, which go to the answer.

    Most tokenizers make " word" one token, so a prompt that ends in a blank asks for a token never seen there.
    lm-eval moves them likewise.
    """
    kept = prompt.rstrip(" \t")
    return kept, prompt[len(kept) :]


def _turn_segments(messages: list[Message], tokenizer: "PreTrainedTokenizerFast") -> list[Segment]:
    """Every assistant turn learned, found by rendering the chat turn by turn.

    Some templates render a turn differently once others follow (they drop earlier reasoning, say): then only the
    last turn can be told apart, and is learned alone.
    """
    full = _rendered(messages, tokenizer)
    segments: list[Segment] = []
    done = 0
    for place, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        opened = _opened(messages[:place], tokenizer)
        closed = _rendered(messages[: place + 1], tokenizer)
        if len(opened) < done or not closed.startswith(opened) or not full.startswith(closed):
            return _last_segments(messages[:-1], messages[-1:], tokenizer)
        segments += [Segment(full[done : len(opened)], False), Segment(closed[len(opened) :], True)]
        done = len(closed)
    return segments


def _last_segments(prompt: list[Message], answer: list[Message], tokenizer: "PreTrainedTokenizerFast") -> list[Segment]:
    """The prompt with the opening of the assistant's turn, and what the template writes after it."""
    opened, full = _opened(prompt, tokenizer), _rendered(prompt + answer, tokenizer)
    if full.startswith(opened):
        return [Segment(opened, False), Segment(full[len(opened) :], True)]
    # The template opens a turn otherwise than it renders one: what counts is what inference begins with.
    return [Segment(opened, False), Segment("\n\n".join(turn["content"] for turn in answer), True)]


def _answer_text(prompt: list[Message], answer: list[Message], tokenizer: "PreTrainedTokenizerFast") -> str:
    """The rendered answer up to the end of its last turn's content, without end markers."""
    text = _last_segments(prompt, answer, tokenizer)[1].text
    content = answer[-1]["content"].strip()
    end = text.rfind(content)
    return text[: end + len(content)] if end >= 0 else content


def _opened(messages: list[Message], tokenizer: "PreTrainedTokenizerFast") -> str:
    return _rendered(messages, tokenizer, add_generation_prompt=True)


def _rendered(
    messages: list[Message], tokenizer: "PreTrainedTokenizerFast", add_generation_prompt: bool = False
) -> str:
    from jinja2.exceptions import TemplateError

    try:
        text = tokenizer.apply_chat_template(
            messages,
            chat_template=_template(tokenizer),
            tokenize=False,
            add_generation_prompt=add_generation_prompt,
        )
    except (TemplateError, ValueError, TypeError) as error:
        raise UserError(_refused(messages, tokenizer, str(error))) from error
    # Templates of models that see images drop text that is not given in parts, and say nothing.
    if messages[-1]["content"].split()[-1] not in str(text):
        raise UserError(_refused(messages, tokenizer, "the last turn's text is missing from what it writes"))
    return str(text)


def _refused(messages: list[Message], tokenizer: "PreTrainedTokenizerFast", reason: str) -> str:
    roles = ", ".join(message["role"] for message in messages)
    name = tokenizer.name_or_path or "(unnamed)"
    return f"tokenizer {name}: its chat template can't write the turns {roles}: {reason}"


def _template(tokenizer: "PreTrainedTokenizerFast") -> str:
    if not tokenizer.chat_template:
        return DEFAULT_CHAT_TEMPLATE
    template = str(tokenizer.get_chat_template())
    return FIXED_NOW + template if "strftime_now" in template else template


def _template_start(tokenizer: "PreTrainedTokenizerFast") -> list[int]:
    """A tokenizer's own template writes its opening token itself; the default one does not."""
    return [] if tokenizer.chat_template else _start(tokenizer)


def _start(tokenizer: "PreTrainedTokenizerFast") -> list[int]:
    """The ids that the tokenizer puts before a text (a BOS, or none); those it may put after it are left out."""
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    full = tokenizer("a")["input_ids"]
    places = range(len(full) - len(bare) + 1)
    return list(full[: next((at for at in places if full[at : at + len(bare)] == bare), 0)])
