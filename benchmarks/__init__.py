"""The harness against the stock way. Not installed: run it from the repository, `make bench`."""
