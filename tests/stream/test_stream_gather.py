"""Bars go to the cross-section or straight on, a message as a message, whatever it holds."""

import json
from types import SimpleNamespace
from typing import Any

from features.cross_section import Universe
from stream.universe import WHOLE_BYTES, Gather, Market
from topics import codec
from topics.catalog import CROSS_SECTION, DEAD_LETTERS, MARKET_BARS
from topics.records import Bar

GATHER = Gather({"A": 1.0, "B": 1.0}, writer=None)


def bars(symbol: str, count: int, interval: str = "1m") -> list[Bar]:
    return [Bar(symbol, interval, 1_700_000_040_000 + 60_000 * k, 1.0, 1.0, 1.0, 1.0, 1.0) for k in range(count)]


def event(value: bytes) -> Any:
    message = SimpleNamespace(partition=0, offset=7, timestamp=1.8e9, key=b"A", headers=codec.HEADERS, value=value)
    return SimpleNamespace(message=message)


def test_a_message_of_the_universe_goes_on_as_one_with_the_same_bars() -> None:
    rows = bars("A", 3_000)
    (sent,) = GATHER.forward(event(codec.encode(rows)))
    assert sent[:2] == (CROSS_SECTION, "A")
    assert codec.decode(sent[2], Bar).records == rows


def test_other_symbols_and_bars_not_cut_by_time_are_forwarded_at_once() -> None:
    for rows in (bars("DOGE", 2), bars("A", 2, "tick-500")):
        (sent,) = GATHER.forward(event(codec.encode(rows)))
        assert sent[0] is MARKET_BARS
        assert codec.decode(sent[2], Bar).records == rows


def test_a_mixed_message_is_taken_apart_and_what_is_no_bar_is_a_dead_letter() -> None:
    rows = [json.loads(codec.encode_one(row)) for row in (*bars("A", 2), *bars("C", 1), *bars("B", 1))]
    sent = GATHER.forward(event(json.dumps([*rows, {"symbol": "A"}]).encode()))
    assert [(topic.name, key) for topic, key, _ in sent] == [
        (CROSS_SECTION.name, "A"),
        (MARKET_BARS.name, "C"),
        (CROSS_SECTION.name, "B"),
        (DEAD_LETTERS.name, "bars"),
    ]


def test_what_is_too_large_for_one_message_is_cut() -> None:
    rows = bars("A", 12_000)
    assert len(codec.encode(rows)) > WHOLE_BYTES
    sent = GATHER.forward(event(codec.encode(rows)))
    assert [row for _, _, value in sent for row in codec.decode(value, Bar).records] == rows


def test_the_market_stage_refuses_bars_not_cut_by_time() -> None:
    market = Market(Universe.of({"A": 1.0, "B": 1.0}))
    assert market.check(bars("A", 1)[0]) is None
    assert "not cut by time" in (market.check(bars("A", 1, "tick-500")[0]) or "")
