"""Does the gate find what it should, and keep still where it should? `make bench-gate`."""
