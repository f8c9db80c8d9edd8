"""How often a reader reads."""

import operator
import threading
import time
from contextlib import nullcontext
from itertools import pairwise

import pytest
from waiting import until

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


def test_who_looks_is_woken_once_by_a_newer_value() -> None:
    known, woken = {"key": "old"}, threading.Semaphore(0)

    def wake() -> None:
        woken.release()

    reader: PolledReader[None, str, str] = PolledReader(
        nullcontext, lambda _, key: known[key], period_s=0.01, failures=(OSError,), describe=str
    )
    reader.start()
    try:
        reader.view("key", wake)
        assert woken.acquire(timeout=10), "the first value is new"
        assert reader.view("key", wake).value == "old"
        assert not woken.acquire(timeout=0.2), "nothing is new"
        known["key"] = "new"
        assert woken.acquire(timeout=10)
        known["key"] = "newer"
        assert not woken.acquire(timeout=0.2), "nobody has looked since"
        until(lambda: reader.view("key").value == "newer")
    finally:
        reader.stop()


@pytest.mark.parametrize("equal", [True, False])
def test_where_it_is_told_so_what_is_equal_to_what_was_read_before_is_not_new(equal: bool) -> None:
    woken, reads = threading.Semaphore(0), threading.Semaphore(0)

    def read(source: None, key: str) -> list[str]:  # noqa: ARG001 - as every reader is called
        reads.release()
        return [key]

    def wake() -> None:
        woken.release()

    reader: PolledReader[None, str, list[str]] = PolledReader(
        nullcontext,
        read,
        period_s=0.01,
        failures=(OSError,),
        describe=str,
        unchanged=operator.eq if equal else operator.is_,
    )
    reader.start()
    try:
        reader.view("key", wake)
        assert woken.acquire(timeout=10)
        first = reader.view("key", wake).value
        for _ in range(5):
            assert reads.acquire(timeout=10)
        assert (reader.view("key").value is first) == equal
        assert woken.acquire(timeout=0.1) == (not equal)
    finally:
        reader.stop()
