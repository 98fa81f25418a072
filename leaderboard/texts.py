"""Texts of the data, cut to what can be read."""


def short(text: str, longest: int = 80) -> str:
    """``text``, cut where it is too long to read."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
