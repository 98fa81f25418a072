"""Compare fine-tuning methods fairly; the public face for plugins."""

from tunematrix.version import __version__

__all__ = ["__version__"]
