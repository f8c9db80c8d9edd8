"""The ceiling: client and broker alone. What is read is written again, as long as an engine's results, without work."""

import json

from bench.stream.engines.confluent_loop import run
from bench.stream.market import frames, right
from bench.stream.work import Job

SAMPLE = 1_000


def padding() -> int:
    """Return how many more bytes a row of results has than a tick, on average."""
    read = sum(len(value) for _, value in frames(1, 0, SAMPLE, 1))
    written = sum(len(json.dumps(one)) for one in right(1, SAMPLE).values())
    return max(0, round((written - read) / SAMPLE))


def main(job: Job) -> None:
    """Copy until SIGTERM: JSON may end in spaces."""
    more = b" " * padding()
    run(job, lambda value: value + more * (value.count(b'"symbol"') if value[:1] == b"[" else 1))


if __name__ == "__main__":
    main(Job.given())
