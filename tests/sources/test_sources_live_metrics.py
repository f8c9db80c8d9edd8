"""A venue's status as series of Prometheus."""

import pytest
from prometheus_client import CollectorRegistry

from sources.live.metrics import VenueCollector, gauges
from sources.live.status import Status, SymbolStatus

NOW = 1_750_000_000_000
BTC = {"venue": "kraken", "symbol": "BTCUSD"}


def value(status: Status | None, name: str, **labels: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(VenueCollector(lambda: status))
    return registry.get_sample_value(name, labels)


def test_what_the_status_counts_is_shown() -> None:
    each = SymbolStatus(
        symbol="BTCUSD", market="BTC/USD", trades=9, repaired=4, duplicates=3, gaps=2, dead=1, reconnects=5, waiting=6
    )
    status = Status(venue="kraken", pid=1, since=NOW, skew_ms=-1_500.0, unreadable=7, symbols=[each])
    assert value(status, "foretick_live_trades_total", **BTC) == 9
    assert value(status, "foretick_live_repaired_trades_total", **BTC) == 4
    assert value(status, "foretick_live_duplicates_total", **BTC) == 3
    assert value(status, "foretick_live_gaps_total", **BTC) == 2
    assert value(status, "foretick_live_reconnects_total", **BTC) == 5
    assert value(status, "foretick_live_waiting_trades", **BTC) == 6
    assert value(status, "foretick_live_clock_skew_seconds", venue="kraken") == -1.5
    assert value(status, "foretick_dead_letters_total", topic="live/kraken", symbol="BTCUSD") == 1
    assert value(status, "foretick_dead_letters_total", topic="live/kraken", symbol="") == 7


def test_silence_is_since_the_last_trade_came_by_our_clock_or_since_it_listens() -> None:
    # The venue's clock is an hour ahead: what came ten seconds ago has a time that has yet to come.
    heard = SymbolStatus(
        symbol="BTCUSD", market="BTC/USD", last_time=NOW + 3_590_000, age_ms=-3_600_000.0, since=NOW - 900_000
    )
    never = SymbolStatus(symbol="ETHUSD", market="ETH/USD", since=NOW - 60_000)
    status = Status(venue="kraken", pid=1, since=NOW - 900_000, heard=NOW - 5_000, symbols=[heard, never])
    shown = {(s.name, s.labels.get("symbol")): s.value for family in gauges(status, NOW) for s in family.samples}
    assert shown["foretick_live_trade_silence_seconds", "BTCUSD"] == 10
    assert shown["foretick_live_trade_silence_seconds", "ETHUSD"] == 60
    assert shown["foretick_live_message_silence_seconds", None] == 5


def test_what_is_not_known_is_not_shown() -> None:
    assert value(None, "foretick_live_message_silence_seconds", venue="kraken") is None
    assert value(Status(venue="kraken", pid=1, since=NOW), "foretick_live_clock_skew_seconds", venue="kraken") is None


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (Status(venue="kraken", pid=1, since=NOW), "no symbol is watched"),
        (
            Status(
                venue="kraken",
                pid=1,
                since=NOW,
                problem="not connected yet",
                symbols=[SymbolStatus(symbol="A", market="A")],
            ),
            "not connected yet",
        ),
        (
            Status(
                venue="kraken",
                pid=1,
                since=NOW,
                symbols=[SymbolStatus(symbol="A", market="A", problem="lost"), SymbolStatus(symbol="B", market="B")],
            ),
            "A: lost",
        ),
        (Status(venue="kraken", pid=1, since=NOW, symbols=[SymbolStatus(symbol="A", market="A")]), None),
    ],
)
def test_a_status_says_what_is_wrong(status: Status, text: str | None) -> None:
    assert status.wrong == text
