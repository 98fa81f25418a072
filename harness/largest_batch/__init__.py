"""The largest batch of an arm that fits, searched by measuring: `tunematrix largest-batch`."""
