"""The scripts within the page: Vega's, by vl-convert, and two of our own; the page's policy names each by its hash."""

import base64
import hashlib
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent


@cache
def vega() -> str:
    """Vega, Vega-Lite and Vega-Embed of the version that Altair writes for, as ``window.vegaEmbed``."""
    import altair
    import vl_convert

    version = altair.SCHEMA_VERSION.removeprefix("v").rpartition(".")[0]
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=version)


def own(name: str) -> str:
    """A file of this folder: ``tables.js``, ``pictures.js`` or ``page.css``."""
    return (HERE / name).read_text(encoding="utf-8")


def within(script: str) -> str:
    """A script as it stands in the page: nothing in it ends its element early."""
    for end in ("</script", "</SCRIPT", "<!--"):
        if end in script:
            script = script.replace(end, "\\x3c" + end[1:])  # in a string or an expression, which is where it can be
    return script


def digest(script: str) -> str:
    """How a Content-Security-Policy names an inline script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
