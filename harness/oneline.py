"""Text from elsewhere (a database, a file, a library's error) where people read it: it is shown and obeyed nowhere."""


def one_line(value: object) -> str:
    """``value`` as text on one line and without control characters, so that no terminal does what it says."""
    return " ".join("".join(c if c.isprintable() or c.isspace() else " " for c in str(value)).split())
