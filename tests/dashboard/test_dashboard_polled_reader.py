"""How often a reader reads."""

import time
from contextlib import nullcontext
from itertools import pairwise

from dashboard.polled_reader import PolledReader

TAKES_S = 0.05


def test_a_slow_query_is_repeated_only_after_a_pause() -> None:
    begun: list[float] = []

    def read(source: None, key: str) -> int:  # noqa: ARG001 - as every reader is called
        begun.append(time.monotonic())
        time.sleep(TAKES_S)
        return len(begun)

    reader: PolledReader[None, str, int] = PolledReader(
        nullcontext, read, period_s=0.001, failures=(OSError,), describe=str, rest=4.0
    )
    reader.start()
    while len(begun) < 4:
        reader.view("key")
        time.sleep(0.01)
    reader.stop()
    # The first key wakes the reader, which may have been at rest.
    assert min(later - earlier for earlier, later in pairwise(begun[1:])) >= 5 * TAKES_S
