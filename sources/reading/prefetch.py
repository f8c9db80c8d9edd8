"""An iterator that works in a thread while its items are used."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Prefetch(Generic[T]):
    """Gives what the iterator gives; up to so many items are made beforehand, from the beginning on."""

    def __init__(self, items: Iterator[T], count: int) -> None:
        self._items = items
        self._thread = ThreadPoolExecutor(1)
        self._coming = deque(self._thread.submit(next, items, None) for _ in range(count))

    def __enter__(self) -> Self:
        return self

    def __iter__(self) -> Iterator[T]:
        while (item := self._coming.popleft().result()) is not None:
            self._coming.append(self._thread.submit(next, self._items, None))
            yield item

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)
