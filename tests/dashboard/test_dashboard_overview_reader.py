"""What the reader of all symbols finds in a real TimescaleDB: the champion's word, once, and nothing twice."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from crowded_market import SYMBOLS, CrowdedMarket
from dashboard_market import FIRST, MINUTE, Market
from psycopg import Connection

from dashboard.database import connected
from dashboard.overview import reader
from dashboard.overview.reader import Key, OverviewSource

pytestmark = pytest.mark.services

KEY = Key("1m", "gbm")
THREE = SYMBOLS[:3]


@pytest.fixture
def market(new_market: Callable[[], Market]) -> CrowdedMarket:
    market = CrowdedMarket(url=new_market().url)
    market.write(40, THREE)
    return market


@pytest.fixture
def connection(market: CrowdedMarket) -> Iterator[Connection]:
    with connected(market.url) as connection:
        yield connection


def test_of_every_symbol_the_newest_bar_regime_line_and_champions_forecasts_are_read(
    market: CrowdedMarket, connection: Connection
) -> None:
    overview = OverviewSource().read(connection, KEY)
    assert (overview.intervals, overview.models) == (("1m",), ("gbm", "naive"))
    assert [one.symbol for one in overview.symbols] == sorted(THREE)
    btc = next(one for one in overview.symbols if one.symbol == "BTCUSDT")
    last = FIRST + 39 * MINUTE
    assert (btc.bar, btc.forecast, btc.state) == (last, last, "calm")
    assert btc.close == pytest.approx(market.close_at(39))
    assert [time for time, _ in btc.past] == [FIRST + minute * MINUTE for minute in range(0, 40, 5)]
    assert btc.past[-1][1] == btc.close
    assert sorted(btc.said) == [1, 5, 15, 60]
    assert btc.said[15].q95 == pytest.approx(1.6 * 0.001 * 15**0.5)  # the champion's: the challenger says nothing


def test_without_a_change_it_is_the_same_object_and_a_change_has_its_time(
    market: CrowdedMarket, connection: Connection
) -> None:
    source = OverviewSource()
    first = source.read(connection, KEY)
    assert source.read(connection, KEY) is first
    assert (first.changed, first.forecast) == (None, None)
    market.write(1, ("ETHUSDT",), said=False)
    second = source.read(connection, KEY)
    assert second is not first
    assert (second.since, second.forecast) == (first.since, None)
    assert second.changed is not None
    assert second.newest_bar == FIRST + 40 * MINUTE
    assert {one.symbol for one in second.symbols if one.bar == second.newest_bar} == {"ETHUSDT"}
    market.write(1, ("ETHUSDT",))
    assert source.read(connection, KEY).forecast is not None


def test_a_promotion_and_a_version_that_is_new_are_seen_at_once(market: CrowdedMarket, connection: Connection) -> None:
    source = OverviewSource()
    source.read(connection, KEY)
    minute = FIRST + 40 * MINUTE

    def promoted(version: str) -> float:
        nonlocal minute
        minute += MINUTE
        with psycopg.connect(market.url) as writing:
            writing.execute(
                "INSERT INTO series (symbol, interval, model, version, horizon) "
                "VALUES ('BTCUSDT', '1m', 'gbm', %s, 15) ON CONFLICT DO NOTHING",
                [version],
            )
            writing.execute(
                "INSERT INTO prediction_rows (time, series_id, context_id, price, p_up) "
                "SELECT to_timestamp(%s), series_id, context_id, 1, 0.25 FROM series, contexts "
                "WHERE (symbol, model, version, horizon) = ('BTCUSDT', 'gbm', %s, 15) AND role = 'champion' LIMIT 1",
                [minute / 1000, version],
            )
        overview = source.read(connection, KEY)
        btc = next(one for one in overview.symbols if one.symbol == "BTCUSDT")
        assert btc.said[15].p_up == 0.25
        return btc.said[15].time

    assert promoted("v2") == FIRST + 41 * MINUTE  # the challenger until now
    assert promoted("v9") == FIRST + 42 * MINUTE


def test_new_symbols_are_looked_for_from_time_to_time(
    market: CrowdedMarket, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = OverviewSource()
    source.read(connection, KEY)
    market.write(1, SYMBOLS[3:4])
    assert len(source.read(connection, KEY).symbols) == 3
    monkeypatch.setattr(reader, "CATALOG_S", 0.0)
    assert len(source.read(connection, KEY).symbols) == 4


def test_a_database_that_is_not_set_up_is_an_empty_one(servers: Any) -> None:
    with psycopg.connect(servers.database_url, autocommit=True) as setting_up:
        setting_up.execute("CREATE DATABASE bare_overview")
        try:
            url = servers.database_url.rpartition("/")[0] + "/bare_overview"
            with connected(url) as connection:
                assert OverviewSource().read(connection, KEY).symbols == ()
        finally:
            setting_up.execute("DROP DATABASE bare_overview WITH (FORCE)")
