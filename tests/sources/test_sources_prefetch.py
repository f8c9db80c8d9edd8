"""Items are made ahead of their use, in order; an error arrives where its item would."""

import threading
from collections.abc import Iterator

import pytest

from sources.reading.prefetch import Prefetch


def test_the_items_come_in_order_and_are_made_beforehand_in_another_thread():
    second = threading.Event()

    def items() -> Iterator[int]:
        yield threading.get_ident()
        second.set()
        yield 1
        yield from range(2, 100)

    with Prefetch(items(), 3) as ahead:
        assert second.wait(10)  # though nothing was asked for yet
        thread, *others = ahead
    assert thread != threading.get_ident()
    assert others == list(range(1, 100))


def test_an_error_comes_after_the_items_before_it():
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("bad row")

    with Prefetch(items(), 3) as ahead:
        coming = iter(ahead)
        assert next(coming) == 1
        with pytest.raises(ValueError, match="bad row"):
            next(coming)


def test_a_reader_that_stops_early_ends_the_prefetch():
    made = []

    def items() -> Iterator[int]:
        for number in range(1_000):
            made.append(number)
            yield number

    with Prefetch(items(), 3) as ahead:
        assert next(iter(ahead)) == 0
    assert len(made) <= 5
