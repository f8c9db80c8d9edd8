"""The same work by other engines, on the same broker, in turn: `python -m bench.stream`."""
