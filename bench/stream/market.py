"""The ticks of a run, what is right about them, and how the rows that came back are judged."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.stream.work import State, row, step

START = 1_700_000_000_000
EVERY_MS = 10
Tick = dict[str, Any]
Key = tuple[str, int]
"""A symbol and a time: there is one tick and one row of each."""


def ticks(symbols: int, first: int, count: int) -> Iterator[Tick]:
    """Yield ticks in turns of the symbols; the number `first` is the first of all, so that runs can go on."""
    for number in range(first, first + count):
        symbol, turn = number % symbols, number // symbols
        price = 100.0 + symbol + (turn * 7 + symbol * 13) % 101 / 50
        yield {"symbol": f"S{symbol:02d}USDT", "time": START + turn * EVERY_MS, "price": price, "amount": 1.0}


def frames(symbols: int, first: int, count: int, rows: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield key and value of Kafka records with `rows` ticks of one symbol each: a tick, or an array of more.

    `count` is a multiple of `symbols` times `rows`, unless `rows` is 1: else the last ticks are not in any record.
    """
    waiting: dict[str, list[Tick]] = {}
    for tick in ticks(symbols, first, count):
        some = waiting.setdefault(tick["symbol"], [])
        some.append(tick)
        if len(some) == rows:
            yield tick["symbol"].encode(), json.dumps(some if rows > 1 else tick).encode()
            some.clear()


def right(symbols: int, count: int) -> dict[Key, Mapping[str, Any]]:
    """Return what is to be written of each of the first ticks."""
    states: dict[str, State] = {}
    results = {}
    for tick in ticks(symbols, 0, count):
        states[tick["symbol"]], values = step(states.get(tick["symbol"]), tick["price"])
        results[tick["symbol"], tick["time"]] = row(tick, values)
    return results


def rows_of(value: bytes) -> list[dict[str, Any]]:
    """Return the rows of a Kafka record: one as an object, or several as an array."""
    rows = json.loads(value)
    return rows if isinstance(rows, list) else [rows]


def judged(values: Sequence[bytes], expected: Mapping[Key, Mapping[str, Any]]) -> dict[str, int]:
    """Return how many rows were written twice, are wrong, and are missing."""
    seen: dict[Key, Any] = {}
    twice = 0
    for value in values:
        for one in rows_of(value):
            key = one["symbol"], one["time"]
            twice += key in seen
            seen[key] = one
    wrong = sum(not _same(one, expected.get(key, {})) for key, one in seen.items())
    return {"duplicates": twice, "wrong": wrong, "missing": len(expected.keys() - seen.keys())}


def _same(one: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Return whether a row has what is wanted; one that nobody wanted has not."""
    numbers = [(one.get(name), number) for name, number in wanted.items() if name != "symbol"]
    return bool(numbers) and all(value is not None and abs(value - number) <= 1e-9 for value, number in numbers)


def arrivals(times: Sequence[float], values: Sequence[bytes]) -> dict[Key, float]:
    """Return when each row came first."""
    first: dict[Key, float] = {}
    for at, value in zip(times, values, strict=True):
        for one in rows_of(value):
            first.setdefault((one["symbol"], one["time"]), at)
    return first
