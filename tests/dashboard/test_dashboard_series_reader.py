"""What the page reads, on a real TimescaleDB and Kafka, against sums made another way."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import TopicPartition
from dashboard_market import BARS_STORED, FIRST, GAP, MINUTE, Market

from broker.admin import create_topics
from dashboard.database import connected
from dashboard.lag import group_lag
from dashboard.live.queries import QUERIES
from dashboard.live.series_reader import Key, read_inserted, read_newest, read_scores, read_series, read_snapshot
from dashboard.live.timeframes import Window
from dashboard.live.view_state import BarSeries
from observability.lag import UNKNOWN, ConsumerLag
from storage.timescale import Writer
from topics.catalog import BARS
from topics.records import Bar

pytestmark = pytest.mark.services

BTC = BarSeries("BTCUSDT", "1m")


def keyed(series: BarSeries, model: str | None, horizon: int, window: Window | None = None) -> Key:
    return Key(series=series, model=model, horizon=horizon, span=180, window=window or Window(180, None, "1m"))


@pytest.fixture(scope="module")
def connection(market: Market) -> Any:
    with connected(market.url) as connection:
        yield connection


def test_every_series_is_found(connection: psycopg.Connection) -> None:
    assert read_series(connection) == (BTC, BarSeries("ETHUSDT", "1m"))


def test_bars_that_are_not_cut_by_time_are_no_series_of_the_page(
    connection: psycopg.Connection, market: Market
) -> None:
    async def store() -> None:
        writer = Writer(market.url)
        await writer.write({BARS: [Bar("BTCUSDT", "tick-500", FIRST + 1, 1.0, 1.0, 1.0, 1.0, None)]})
        await writer.close()

    asyncio.run(store())
    assert read_series(connection) == (BTC, BarSeries("ETHUSDT", "1m"))


@pytest.mark.parametrize("horizon", [1, 15, 60])
def test_scores_equal_those_of_all_outcomes_counted_one_by_one(
    connection: psycopg.Connection, market: Market, horizon: int
) -> None:
    newest = read_newest(connection, BTC)
    scores = read_scores(connection, keyed(BTC, "gbm", horizon), newest)
    made = [minute for minute in range(BARS_STORED - horizon) if not {minute, minute + horizon} & set(GAP)]
    for model in ("gbm", "naive"):
        outcomes = [market._outcome("BTCUSDT", minute, model, horizon) for minute in made]
        hits = np.mean([bool(outcome.interval_hit) for outcome in outcomes])
        assert scores[model]["scored"][-1] == len(outcomes)
        sides = [outcome.direction_hit for outcome in outcomes if outcome.direction_hit is not None]
        assert scores[model]["moved"][-1] == len(sides)
        np.testing.assert_allclose(scores[model]["direction"][-1], np.mean(sides))
        np.testing.assert_allclose(scores[model]["coverage"][-1], hits)
    np.testing.assert_allclose(scores["gbm"]["skill"], 1 - 1 / 1.2)
    np.testing.assert_allclose(scores["naive"]["skill"], 0, atol=1e-12)
    assert np.all(np.diff(scores["gbm"]["time"]) > 0)
    assert scores["gbm"]["time"][-1] == FIRST + (BARS_STORED - 1) * MINUTE


def test_scores_need_no_statistics_of_the_tables(connection: psycopg.Connection) -> None:
    # Just filled, never analysed: a join of the outcomes with the naive ones was planned as a loop in a loop, and took
    # over ten seconds for the first ten days of the bundled sample. A window needs no guess of how many rows there are.
    day = timedelta(days=1)
    start = datetime.fromtimestamp(FIRST / 1000, UTC)
    parameters = {"symbol": "BTCUSDT", "interval": "1m", "horizon": 15, "baseline": "naive", "bucket": day / 24}
    parameters |= {"rolling": day, "since": start - day, "end": start + day, "least": 1}
    plan = "\n".join(line for (line,) in connection.execute("EXPLAIN " + QUERIES["scores"], parameters))
    assert "WindowAgg" in plan
    assert "Left Join" not in plan


def test_each_resolved_forecast_is_at_its_target(connection: psycopg.Connection) -> None:
    key = keyed(BTC, "gbm", 15)
    snapshot = read_snapshot(connection, key, read_newest(connection, BTC), {}, 1)
    assert snapshot is not None
    bars = snapshot.bars
    known = np.isfinite(bars["lower"])
    assert 0 < np.sum(~known) < len(known)  # those that would have been made in the gap
    np.testing.assert_allclose(bars["realised"][known], bars["close"][known])
    inside = (bars["lower"] <= bars["realised"]) & (bars["realised"] <= bars["upper"])
    np.testing.assert_array_equal(inside[known], bars["hit"][known] == 1)
    assert np.max(np.diff(bars["time"])) == (len(GAP) + 1) * MINUTE
    assert snapshot.fan["time"].tolist() == [FIRST + (BARS_STORED - 1 + ahead) * MINUTE for ahead in (0, 1, 5, 15, 60)]
    assert snapshot.models == ("gbm", "naive")
    assert {run.state for run in snapshot.runs} == {"calm", "turbulent"}
    assert snapshot.regime is not None
    assert snapshot.regime.probability == 0.8


def test_a_window_of_the_past_holds_its_bars_and_what_is_newest_stays_known(
    connection: psycopg.Connection, market: Market
) -> None:
    end = FIRST + 120 * MINUTE
    window = keyed(BTC, "gbm", 15, Window(60, end, "1m"))
    snapshot = read_snapshot(connection, window, read_newest(connection, BTC), {}, 1)
    assert snapshot is not None
    assert snapshot.bars["time"].tolist() == [end - ago * MINUTE for ago in range(59, -1, -1)]
    assert np.isfinite(snapshot.bars["lower"]).all()
    assert snapshot.latest.close == market.close_at(BARS_STORED - 1)
    assert snapshot.latest.before == market.close_at(BARS_STORED - 180)
    assert snapshot.latest.first == datetime.fromtimestamp(FIRST / 1000, UTC)
    assert snapshot.fan["time"][0] == FIRST + (BARS_STORED - 1) * MINUTE
    assert snapshot.behind == 0


def test_candles_of_a_longer_timeframe_are_made_of_their_bars(connection: psycopg.Connection, market: Market) -> None:
    window = keyed(BTC, "gbm", 15, Window(92, FIRST + 100 * MINUTE, "5m"))
    snapshot = read_snapshot(connection, window, read_newest(connection, BTC), {}, 1)
    assert snapshot is not None
    bars = snapshot.bars
    first = bars["time"].tolist()
    assert first == [
        FIRST + minute * MINUTE for minute in range(5, 101, 5)
    ]  # the first is whole, the last as far as it is
    minute = [market._bar("BTCUSDT", number) for number in range(101)]
    for at, start in enumerate(range(5, 101, 5)):
        own = minute[start : start + 5]
        assert bars["open"][at] == own[0].open
        assert bars["close"][at] == own[-1].close
        assert bars["high"][at] == max(bar.high for bar in own)
        assert bars["low"][at] == min(bar.low for bar in own)
        assert bars["volume"][at] == sum(bar.volume or 0.0 for bar in own)
    np.testing.assert_allclose(bars["realised"][3:], bars["close"][3:])  # of each candle the last forecast in it
    assert {(run.end - run.start) % (5 * MINUTE) for run in snapshot.runs} == {0}


def test_an_alarm_about_coverage_is_shown_for_a_day_and_only_of_the_version_in_service(
    connection: psycopg.Connection, market: Market
) -> None:
    newest = read_newest(connection, BTC)
    assert newest.bar is not None
    rows = [
        ("v1", "coverage", newest.bar - timedelta(hours=25), "too old"),
        ("v2", "coverage", newest.bar, "of a challenger"),
        ("v1", "errors", newest.bar, "of another kind"),
    ]
    statement = """
        INSERT INTO drift (model, version, kind, detector, time, interval, horizon, since, detail)
        VALUES ('gbm', %s, %s, 'window', %s, '1m', 15, %s, %s)
    """

    def alarm() -> str | None:
        snapshot = read_snapshot(connection, keyed(BTC, "gbm", 15), newest, {}, 1)
        assert snapshot is not None
        return snapshot.alarm.detail if snapshot.alarm else None

    with psycopg.connect(market.url, autocommit=True) as writer:
        for version, kind, time, detail in rows:
            writer.execute(statement, (version, kind, time, time, detail))
        assert alarm() is None
        time = newest.bar - timedelta(hours=2)
        writer.execute(statement, ("v1", "coverage", time, time, "the interval covered 81 %"))
        assert alarm() == "the interval covered 81 %"


def test_a_series_that_is_not_there_has_nothing(connection: psycopg.Connection) -> None:
    nothing = keyed(BarSeries("NONE", "1m"), None, 15)
    newest = read_newest(connection, nothing.series)
    assert newest.bar is None
    assert read_snapshot(connection, nothing, newest, {}, 1) is None
    assert read_scores(connection, nothing, newest) == {}


def test_stored_rows_are_counted(connection: psycopg.Connection) -> None:
    bars, predictions = read_inserted(connection)
    assert bars is not None
    assert predictions is not None
    assert 0 <= bars < predictions


def test_lag_is_what_a_group_has_not_committed_and_unknown_where_it_committed_nothing(servers: Any) -> None:
    create_topics(servers.broker)

    async def measure() -> tuple[ConsumerLag, ConsumerLag]:
        admin = AIOKafkaAdminClient(bootstrap_servers=servers.kafka)
        producer = AIOKafkaProducer(bootstrap_servers=servers.kafka)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=servers.kafka, group_id="dashboard-test", enable_auto_commit=False
        )
        await admin.start()
        await producer.start()
        for _ in range(5):
            await producer.send_and_wait("ticks", b'[{"time": 1000}, {"time": 2000}]', partition=0)
        await consumer.start()
        part = TopicPartition("ticks", 0)
        consumer.assign([part])
        end = (await consumer.end_offsets([part]))[part]
        await consumer.commit({part: end - 3})
        lags = await group_lag(admin, consumer, "dashboard-test"), await group_lag(admin, consumer, "nobody")
        for client in (consumer, producer):
            await client.stop()
        await admin.close()
        return lags

    assert asyncio.run(measure()) == (ConsumerLag(3, 6, 0.0), UNKNOWN)
