"""Base models as a matrix file names them: found, checked, fetched, and identified by what they hold.

Nothing here imports torch or transformers until a function needs it, so that a plan stays fast.
"""

from harness.bases.hub import download_dataset_file
from harness.bases.resolve import Base, resolve_base
from harness.bases.shapes import layer_shapes
from harness.bases.tokenizer import load_tokenizer

__all__ = ["Base", "download_dataset_file", "layer_shapes", "load_tokenizer", "resolve_base"]
