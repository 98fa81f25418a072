"""The four ways in which a matrix file can name a base, validated."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import UserError

Text = Annotated[str, Field(min_length=1)]


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    pad_token: Text | None = None  # a token of the vocabulary, for a tokenizer that names none


class EmbeddedSpec(_Spec):
    """A base that comes with an installed suite."""

    embedded: Text


class PathSpec(_Spec):
    """A local folder in the layout of the Hugging Face hub."""

    path: Text


class HubSpec(_Spec):
    """A model on the Hugging Face hub; ``revision`` is a branch, a tag or a commit."""

    hub: Text
    revision: Text | None = None


class ConfigSpec(_Spec):
    """A shape to be initialised at random: for speed and memory, or for training from nothing."""

    config: Text
    init_seed: Annotated[int, Field(ge=0)] = 0
    tokenizer: Text | None = None


Spec = EmbeddedSpec | PathSpec | HubSpec | ConfigSpec

_KINDS: dict[str, type[EmbeddedSpec] | type[PathSpec] | type[HubSpec] | type[ConfigSpec]] = {
    "embedded": EmbeddedSpec,
    "path": PathSpec,
    "hub": HubSpec,
    "config": ConfigSpec,
}


def parse_spec(spec: dict[str, Any]) -> Spec:
    """The model for ``spec``; raises UserError unless it names exactly one kind and only keys of that kind."""
    if not isinstance(spec, dict):
        raise UserError(f"expected a mapping such as {{embedded: NAME}}, got {spec!r}")
    kinds = [kind for kind in _KINDS if spec.get(kind) is not None]
    if len(kinds) != 1:
        raise UserError(f"give exactly one of {', '.join(_KINDS)} (got {', '.join(kinds) or 'none'})")
    try:
        return _KINDS[kinds[0]].model_validate({key: value for key, value in spec.items() if value is not None})
    except ValidationError as error:
        raise UserError(*(_line(detail, kinds[0]) for detail in error.errors())) from None


def _line(detail: Any, kind: str) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        known = ", ".join(_KINDS[kind].model_fields)
        return f"unknown key {key!r} (a base with {kind!r} takes {known})"
    return f"{key}: {detail['msg']} (got {detail['input']!r})"
