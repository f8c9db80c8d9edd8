"""The reader of what a viewer wants now: the newest wish counts, an old answer stays until the new one is there."""

import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from waiting import until

from dashboard import reader_thread, wanted_reader
from dashboard.wanted_reader import LastRead, WantedReader

WAIT_S = 10.0


class Source:
    """Says of each key how often it was asked; a key that is held is read only when it is let go."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.free = threading.Event()
        self.free.set()
        self.broken = 0

    @contextmanager
    def connect(self) -> Iterator["Source"]:
        yield self

    def read(self, key: str) -> str:
        self.free.wait(WAIT_S)
        if self.broken:
            self.broken -= 1
            raise ConnectionError(key)
        self.asked.append(key)
        return key.upper()


@contextmanager
def reading(source: Source, period_s: float | None = None) -> Iterator[WantedReader[Source, str, str]]:
    reader: WantedReader[Source, str, str] = WantedReader(
        source.connect,
        lambda opened, key: opened.read(key),
        name="test",
        failures=(ConnectionError,),
        period_s=period_s,
    )
    reader.start()
    yield reader
    source.free.set()
    reader.stop()
    assert not reader.alive


def test_each_viewer_has_his_own_answer_and_without_a_period_it_is_read_once() -> None:
    source = Source()
    with reading(source) as reader:
        until(lambda: reader.view("one", "a") == LastRead("a", "A") and reader.view("two", "b") == LastRead("b", "B"))
        assert sorted(source.asked) == ["a", "b"]


def test_a_key_that_is_no_longer_wanted_is_not_read() -> None:
    source = Source()
    with reading(source) as reader:
        until(lambda: reader.view("one", "a") == LastRead("a", "A"))
        source.free.clear()
        for key in ("b", "c", "d"):
            assert reader.view("one", key) == LastRead("a", "A")
            time.sleep(0.05)
        source.free.set()
        until(lambda: reader.view("one", "d") == LastRead("d", "D"))
        assert source.asked == ["a", "b", "d"]


def test_with_a_period_it_is_read_again() -> None:
    source = Source()
    with reading(source, 0.01) as reader:
        until(lambda: reader.view("one", "a") is not None and len(source.asked) > 3)


def test_a_source_that_does_not_answer_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_thread, "RETRY_S", 0.05)
    source = Source()
    source.broken = 2
    with reading(source) as reader:
        until(lambda: reader.view("one", "a") == LastRead("a", "A"))


def test_nothing_is_read_for_a_viewer_who_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (reader_thread, wanted_reader):
        monkeypatch.setattr(module, "LEASE_S", 0.1)
    source = Source()
    with reading(source, 0.01) as reader:
        until(lambda: reader.view("one", "a") is not None)
        until(lambda: reader.view("two", "b") is not None)
        time.sleep(0.3)
        seen = len(source.asked)
        time.sleep(0.2)
        assert len(source.asked) - seen <= 1


def test_a_viewer_who_has_gone_is_not_kept_where_nothing_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (reader_thread, wanted_reader):
        monkeypatch.setattr(module, "LEASE_S", 0.1)

    class Viewer:
        pass

    there = [Viewer()]
    kept = weakref.ref(there[0])
    with reading(Source()) as reader:
        until(lambda: reader.view(there[0], "a") is not None)
        there.clear()
        until(lambda: kept() is None)
