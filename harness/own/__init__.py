"""Your own model and data with no suite to write: `tunematrix run --base PATH_OR_HUB_ID --data FILE ...`."""

from harness.own.matrix import own_matrix

__all__ = ["own_matrix"]
