"""An alert that the alerts worker makes of a prediction reaches who follows the API, once."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import psycopg
import pytest
from api_market import FIRST, MINUTE, Market, bar, serving
from api_streams import Listener, SocketListener, SseListener
from stacks import Servers, running

from alerts.rules.rule import Rule, When
from alerts.store import user_changes
from broker.confirmed_send import KafkaWriter
from foretick_client import Client
from topics.catalog import BARS, PREDICTIONS
from topics.records import Forecast, Prediction

pytestmark = [pytest.mark.services, pytest.mark.slow]

TAKES_EFFECT_S = 2.5
"""The worker looks at its rules once a second."""
WAIT_S = 60.0


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """A stack with the alerts worker and one rule."""
    with running(("kafka", "postgres", "redis", "prepare", "persist", "alerts")) as result:
        with psycopg.connect(result.database_url) as connection:
            user_changes.add_rule(
                connection, Rule(name="rises", on="prediction", when=When("above", "mean", 0.001), horizon=15)
            )
        time.sleep(TAKES_EFFECT_S)
        yield result


def forecast(symbol: str, minute: int, mean: float) -> Prediction:
    each = [
        Forecast(
            horizon=15, mean=mean, scale=0.001, quantiles=[-0.003, -0.002, -0.001, 0.0, 0.001, 0.002, 0.003], p_up=0.6
        )
    ]
    return Prediction(
        symbol=symbol,
        interval="1m",
        time=FIRST + minute * MINUTE,
        model="ridge",
        version="v1",
        fingerprint="print",
        price=100.0,
        forecasts=each,
    )


def publish(kafka: str, predictions: Sequence[Prediction]) -> None:
    async def run() -> None:
        writer = KafkaWriter(kafka)
        await writer.send([(PREDICTIONS, one.symbol, [one]) for one in predictions])
        await writer.stop()

    asyncio.run(run())


def told(listener: Listener) -> list[tuple[str, int, float]]:
    """Return what the alerts that came are about."""
    alerts = [json.loads(text) for text in listener.got]
    return [(alert["symbol"], alert["time"], alert["value"]) for alert in alerts]


@pytest.mark.parametrize("kind", [SocketListener, SseListener])
def test_an_alert_reaches_who_follows_once_though_they_break_off(
    servers: Servers, tmp_path: Path, kind: type[Listener]
):
    names = [f"{kind.__name__.upper()}{number}" for number in range(2)]

    def matching(minute: int) -> list[Prediction]:
        return [forecast(name, minute, 0.002) for name in names]

    Market(servers.database_url).store({BARS: [bar(name, 0) for name in names]})
    with serving(servers.database_url, servers.kafka, tmp_path) as api:
        listener = kind(api=api, path="alerts", asked={"symbol": names, "rule": "rises"})
        listener.begin()
        begun = listener.last
        quiet = [forecast(name, 2, 0.0005) for name in names]
        publish(servers.kafka, [*matching(1), *quiet, *matching(1)])  # a prediction that comes twice is one alert
        listener.listen(1)
        publish(servers.kafka, [*matching(3), *matching(4)])
        listener.listen(3)
    publish(servers.kafka, matching(5))  # nobody serves
    with serving(servers.database_url, servers.kafka, tmp_path) as api:
        listener.api = api
        listener.listen(4)
        publish(servers.kafka, matching(6))
        listener.listen(2)
        expected = sorted((name, FIRST + minute * MINUTE, 0.002) for name in names for minute in (1, 3, 4, 5, 6))
        assert sorted(told(listener)) == expected
        with Client(api.address, api.token) as client:
            stream = client.stream_alerts(symbol=names, rule="rises", last_id=begun)
            assert sorted((one.symbol, one.time, one.value) for one in islice(stream, 10)) == expected
            for name in names:
                assert_the_table_has(client, name, {one for one in expected if one[0] == name})
            seen = client.alerts(symbol=names[0])
            first = next(iter(seen))
            with psycopg.connect(servers.database_url) as connection:
                user_changes.acknowledge(connection, [first.alert_id], "mine")
            assert next(iter(seen)).note == "mine"
            left = [row.alert_id for row in client.alerts(symbol=names[0], acknowledged=False)]
            assert left == [row.alert_id for row in seen][1:]


def assert_the_table_has(client: Client, symbol: str, expected: set[tuple[str, int, float]]) -> None:
    """The table is written by another process: wait for it."""
    deadline = time.monotonic() + WAIT_S
    while len(rows := list(client.alerts(symbol=symbol))) < len(expected):
        assert time.monotonic() < deadline, rows
        time.sleep(0.2)
    assert {(row.symbol, row.time, row.value) for row in rows} == expected
    assert len(rows) == len(expected)
    assert {(row.rule, row.rule_version, row.model, row.horizon) for row in rows} == {("rises", 1, "ridge", 15)}
