"""Every table is given completely, page by page, the same in each format, and as it is stored."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg
import pyarrow as pa
import pytest
from api_market import (
    FIRST,
    LOST,
    MINUTE,
    MINUTES,
    NAMES,
    SYMBOLS,
    Api,
    Market,
    alert,
    bar,
    features,
    gap,
    outcome,
    said,
    serving,
)
from msgspec import Struct

from broker.data_loss import gap as lost_by
from topics.catalog import ALERTS, BARS, DRIFT, GAPS, OUTCOMES, PREDICTIONS, REGIMES, Topic
from topics.records import (
    HORIZONS,
    QUANTILES,
    Alert,
    Bar,
    Drift,
    Forecast,
    Gap,
    Outcome,
    Prediction,
    Regime,
)

pytestmark = pytest.mark.services

TABLES = {
    "symbols": {},
    "bars": {"symbol": "BTCUSDT"},
    "features": {"symbol": "BTCUSDT"},
    "predictions/latest": {},
    "predictions": {"symbol": "BTCUSDT"},
    "outcomes": {"symbol": "BTCUSDT", "horizon": "5"},
    "skill": {"symbol": "ETHUSDT", "bucket": "30", "window": "2"},
    "regimes": {"symbol": "BTCUSDT"},
    "models": {},
    "drift": {},
    "alerts": {},
    "gaps": {},
}
ORDERED = [name for name in TABLES if name not in ("symbols", "predictions/latest", "models")]

Rows = list[dict[str, Any]]


def pages(client: httpx.Client, path: str, between: Callable[[], None] = lambda: None, **asked: str) -> list[Rows]:
    """Return every page, by following the header Link."""
    results: list[Rows] = []
    url = str(httpx.URL(f"/v1/{path}", params=asked))
    while url:
        response = client.get(url)
        assert response.status_code == 200, response.text
        body = response.json()
        results.append(body["rows"])
        url = response.links.get("next", {}).get("url", "")
        assert bool(url) == (body["next"] is not None)
        between()
    return results


def every(client: httpx.Client, path: str, **asked: str) -> Rows:
    return [row for page in pages(client, path, **asked) for row in page]


@pytest.mark.parametrize("path", TABLES)
def test_small_pages_make_the_same_table_as_large_ones(api: Api, path: str):
    with api.client() as client:
        whole = every(client, path, **TABLES[path], limit="1000" if path == "features" else "10000")
        size = max(1, len(whole) // 7)
        small = pages(client, path, **TABLES[path], limit=str(size))
    assert whole
    assert [row for page in small for row in page] == whole
    assert all(len(page) == size for page in small[:-1])
    assert len({json.dumps(row, sort_keys=True) for row in whole}) == len(whole)


@pytest.mark.parametrize("path", ORDERED)
def test_the_newest_come_first_where_that_is_asked(api: Api, path: str):
    with api.client() as client:
        forward = every(client, path, **TABLES[path], limit="97")
        backward = every(client, path, **TABLES[path], limit="89", order="desc")
    assert backward == forward[::-1]
    times = [row["start" if path == "gaps" else "time"] for row in forward]
    assert times == sorted(times)


@pytest.mark.parametrize("path", TABLES)
def test_json_arrow_and_csv_say_the_same(api: Api, path: str):
    asked = TABLES[path] | {"limit": "300"}
    with api.client() as client:
        as_json = client.get(f"/v1/{path}", params=asked)
        as_arrow = client.get(f"/v1/{path}", params=asked, headers={"Accept": "application/vnd.apache.arrow.stream"})
        as_csv = client.get(f"/v1/{path}", params=asked | {"format": "csv"})
    rows = as_json.json()["rows"]
    assert as_arrow.headers["content-type"] == "application/vnd.apache.arrow.stream"
    assert as_csv.headers["content-type"] == "text/csv; charset=utf-8"
    table = pa.ipc.open_stream(as_arrow.content).read_all()
    assert [plain(row, table.schema) for row in table.to_pylist()] == rows
    lines = list(csv.reader(io.StringIO(as_csv.text)))
    assert lines[0] == list(rows[0])
    for line, row in zip(lines[1:], rows, strict=True):
        assert [read(text, value) for text, value in zip(line, row.values(), strict=True)] == list(row.values())
    assert as_json.links.keys() == as_arrow.links.keys() == as_csv.links.keys()


def plain(row: dict[str, Any], schema: pa.Schema) -> dict[str, Any]:
    """Return a row of Arrow as JSON has it."""
    values = {}
    for name, value in row.items():
        if value is not None and pa.types.is_timestamp(schema.field(name).type):
            values[name] = round(value.timestamp() * 1000)
        else:
            values[name] = dict(value) if value is not None and pa.types.is_map(schema.field(name).type) else value
    return values


def read(text: str, like: object) -> object:
    """Return a value from CSV, of the kind that JSON has it."""
    if text == "":
        return None
    if isinstance(like, str):
        return text
    return json.loads(text)


TIMES = {"time": FIRST, "symbol": "BTCUSDT", "interval": "1m"}
QUANTILE_NAMES = [f"q{round(100 * level):02}" for level in QUANTILES]
FILLED: dict[str, tuple[Topic, Struct]] = {
    "bars": (
        BARS,
        Bar(
            **TIMES,
            **{"open": 2.0, "high": 5.0, "low": 1.0, "close": 4.0, "volume": 9.0, "trades": 8, "buy_volume": 7.0},
            **{"quote_volume": 30.0, "gap": 3, "buy_trades": 6, "market_return": 0.1, "market_rank": 0.2},
            **{"lead_return": 0.3, "suspect": "high"},
        ),
    ),
    "predictions": (
        PREDICTIONS,
        Prediction(
            **TIMES,
            **{"model": "gbm", "version": "v1", "fingerprint": "print", "price": 4.0, "regime": "calm"},
            **{"role": "standby", "dissimilarity": 0.7, "expired": True},
            forecasts=[
                Forecast(horizon=5, mean=0.01, scale=0.02, p_up=0.6, weights={"ar": 1.0}, quantiles=list(QUANTILES))
            ],
        ),
    ),
    "outcomes": (
        OUTCOMES,
        Outcome(
            **TIMES,
            **{"model": "gbm", "version": "v1", "horizon": 5, "target_time": FIRST + 5 * MINUTE, "status": "scored"},
            **{"realised": 0.1, "absolute_error": 0.2, "naive_absolute_error": 0.3, "pinball": 0.4},
            **{"interval_hit": True, "direction_hit": False, "role": "standby", "naive_pinball": 0.5},
        ),
    ),
    "regimes": (REGIMES, Regime(**TIMES, state="calm", posterior={"calm": 0.9, "wild": 0.1}, change_point=0.4)),
    "drift": (
        DRIFT,
        Drift(
            **TIMES,
            **{"model": "gbm", "version": "v1", "kind": "errors", "detector": "binomial", "statistic": 4.0},
            **{"limit": 3.0, "horizon": 5, "since": FIRST - MINUTE, "detail": "too wide"},
        ),
    ),
    "alerts": (
        ALERTS,
        Alert(
            **TIMES,
            **{"alert_id": "up-1", "rule": "up", "severity": "critical", "message": "is up", "rule_version": 2},
            **{"model": "gbm", "horizon": 5, "value": 0.8, "suppressed": 4},
        ),
    ),
    "gaps": (
        GAPS,
        Gap(
            **{
                "symbol": "BTCUSDT",
                "venue": "binance",
                "start": FIRST,
                "end": FIRST + 1,
                "reason": "lost",
                "trades": 7,
            },
            **{"after_id": "41", "before_id": "49", "reader": "worker", "topic": "ticks", "partition": 3},
            **{"first_offset": 5, "last_offset": 6},
        ),
    ),
}
"""A record of each table whose fields all differ from their defaults."""


def as_row(record: Struct) -> dict[str, Any]:
    """Return a record as the API gives it: a prediction's one forecast is its row."""
    values = msgspec.structs.asdict(record)
    if not isinstance(record, Prediction):
        return values
    (forecast,) = map(msgspec.structs.asdict, values.pop("forecasts"))
    quantiles = zip(QUANTILE_NAMES, forecast.pop("quantiles"), strict=True)
    return values | forecast | dict(quantiles)


def test_every_field_of_a_record_is_given(new_market: Callable[[], Market], kafka: str, tmp_path: Path):
    market = new_market()
    _, scored = FILLED["outcomes"]
    naive = msgspec.structs.replace(scored, model="naive", role="champion", pinball=0.5)
    market.store({topic: [record] for topic, record in FILLED.values()} | {OUTCOMES: [scored, naive]})
    with serving(market.url, kafka, tmp_path) as api, api.client() as client:
        given = {
            path: every(client, path, **TABLES[path] | ({"role": "standby"} if hasattr(record, "role") else {}))
            for path, (_, record) in FILLED.items()
        }
    for path, (_, record) in FILLED.items():
        assert all(
            getattr(record, name) != default
            for name, default in zip(record.__struct_fields__[::-1], record.__struct_defaults__[::-1], strict=False)
        ), path
        (row,) = given[path]
        assert {name: row[name] for name in as_row(record)} == as_row(record)


def test_bars_are_given_as_they_were_stored(api: Api):
    with api.client() as client:
        rows = every(client, "bars", symbol="ETHUSDT", limit="77")
    assert rows == [msgspec.structs.asdict(bar("ETHUSDT", minute)) for minute in range(MINUTES)]


def test_features_are_given_by_their_names(api: Api):
    with api.client() as client:
        rows = every(client, "features", symbol="BTC/USDT", limit="77")
        some = every(client, "features", symbol="BTCUSDT", feature="age", limit="1000")
        unnamed = every(client, "features", symbol="ETHUSDT", limit="1000")
        wrong = client.get("/v1/features", params={"symbol": "BTCUSDT", "feature": ["age", "rsi_41"]})
    stored = [features("BTCUSDT", minute) for minute in range(MINUTES)]
    assert [list(row["features"].items()) for row in rows] == [
        list(zip(NAMES, one.values, strict=True)) for one in stored
    ]
    assert [(row["time"], row["close"], row["fingerprint"]) for row in rows] == [
        (one.time, one.close, "print") for one in stored
    ]
    assert [row["features"] for row in some] == [{"age": one.values[2]} for one in stored]
    assert unnamed[0]["features"] == {"1": 50.0, "2": features("ETHUSDT", 0).values[1], "3": None}
    assert (wrong.status_code, wrong.json()["detail"]) == (
        422,
        "feature: there is no rsi_41; the nearest is rsi_14",
    )


def test_forecasts_are_given_as_they_were_stored(api: Api):
    with api.client() as client:
        rows = every(client, "predictions", symbol="ETHUSDT", model="gbm", horizon="15", limit="1000")
    assert len(rows) == MINUTES
    prediction = said("ETHUSDT", 17, "gbm")
    forecast = prediction.forecasts[HORIZONS.index(15)]
    assert forecast.quantiles is not None
    low, *_, median, _, _, high = forecast.quantiles
    row = rows[17]
    assert (row["time"], row["price"], row["role"]) == (FIRST + 17 * MINUTE, prediction.price, "champion")
    assert (row["q05"], row["q50"], row["q95"], row["weights"]) == (low, median, high, forecast.weights)
    assert row["dissimilarity"] is None


def test_from_is_included_and_to_is_not(api: Api):
    start, end = FIRST + 10 * MINUTE, FIRST + 20 * MINUTE
    with api.client() as client:
        rows = every(client, "regimes", symbol="BTCUSDT", **{"from": "2025-05-18T00:10:00Z", "to": str(end)})
    assert [row["time"] for row in rows] == list(range(start, end, MINUTE))


def test_the_latest_forecast_is_the_newest_of_each_model_and_horizon(api: Api):
    with api.client() as client:
        rows = every(client, "predictions/latest")
        one = every(client, "predictions/latest", symbol="BTCUSDT", model="naive", horizon="5")
    assert len(rows) == len(SYMBOLS) * 2 * len(HORIZONS)
    assert {row["time"] for row in rows} == {FIRST + (MINUTES - 1) * MINUTE}
    assert [(row["symbol"], row["model"], row["horizon"]) for row in one] == [("BTCUSDT", "naive", 5)]


def test_only_champions_are_given_unless_another_role_is_asked_for(new_market: Callable[[], Market], kafka, tmp_path):
    market = new_market()
    market.write(5)
    market.store(
        {
            PREDICTIONS: [said("BTCUSDT", 4, "gbm", "v2", "challenger"), said("BTCUSDT", 3, "gbm", "v0", "standby")],
            OUTCOMES: [outcome("BTCUSDT", 4, "gbm", 1, "standby")],
        }
    )
    with serving(market.url, kafka, tmp_path) as api, api.client() as client:
        asked = {"symbol": "BTCUSDT", "model": "gbm", "horizon": "1"}
        assert {row["version"] for row in every(client, "predictions", **asked)} == {"v1"}
        assert {row["version"] for row in every(client, "predictions", **asked, role="challenger")} == {"v2"}
        assert {row["role"] for row in every(client, "predictions", **asked, role="any")} == {
            "champion",
            "challenger",
            "standby",
        }
        assert {row["role"] for row in every(client, "outcomes", **asked, role="standby")} == {"standby"}
        assert {row["version"] for row in every(client, "predictions/latest", **asked)} == {"v1"}


def test_skill_is_that_of_the_stored_scores(api: Api, market: Market):
    asked = {"symbol": "BTCUSDT", "horizon": "5", "bucket": "60", "window": "2", "limit": "1000"}
    with api.client() as client:
        rows = every(client, "skill", **asked)
    last = [row for row in rows if row["model"] == "gbm"][-2]
    end = last["time"]
    query = """
        SELECT count(interval_hit), avg(interval_hit::int)::float8, avg(pinball)::float8, avg(naive_pinball)::float8,
            avg(direction_hit::int)::float8
        FROM scores
        WHERE symbol = 'BTCUSDT' AND model = 'gbm' AND horizon = 5
            AND target_time >= to_timestamp(%s / 1000.0) AND target_time < to_timestamp(%s / 1000.0)
    """
    with psycopg.connect(market.url) as connection:
        result = connection.execute(query, (end - 120 * MINUTE, end)).fetchone()
    assert result is not None
    scored, coverage, pinball, naive, direction = result
    assert last["scored"] == scored == 120
    messages = (last["coverage"], last["pinball"], last["pinball_skill"], last["direction"])
    assert messages == pytest.approx((coverage, pinball, 1 - pinball / naive, direction))
    assert {row["pinball_skill"] for row in rows if row["model"] == "naive"} == {0.0}


def test_the_newest_decision_tells_what_serves(api: Api):
    with api.client() as client:
        (row,) = every(client, "models")
    assert (row["model"], row["number"], row["champion"], row["evidence"]) == ("gbm", 2, "v1", {"bars": 1440.0})


def test_an_alert_tells_all_that_is_known_and_who_has_seen_it(api: Api):
    with api.client() as client:
        rows = {row["alert_id"]: row for row in every(client, "alerts", limit="7")}
    plain, full = alert("ETHUSDT", 30), alert("BTCUSDT", 20)
    assert rows[full.alert_id] == msgspec.structs.asdict(full) | {
        "acknowledged": rows[full.alert_id]["acknowledged"],
        "note": "seen",
    }
    assert rows[full.alert_id]["acknowledged"] > FIRST
    assert rows[plain.alert_id] == msgspec.structs.asdict(plain) | {"acknowledged": None, "note": None}


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"rule": "up"}, lambda row: row["rule"] == "up"),
        ({"severity": "info"}, lambda row: row["severity"] == "info"),
        ({"symbol": "ETHUSDT"}, lambda row: row["symbol"] == "ETHUSDT"),
        ({"model": "gbm"}, lambda row: row["model"] == "gbm"),
        ({"acknowledged": "true"}, lambda row: row["acknowledged"] is not None),
        ({"acknowledged": "false"}, lambda row: row["acknowledged"] is None),
        ({"acknowledged": "false", "symbol": "BTCUSDT", "rule": "up"}, lambda row: row["note"] is None),
    ],
)
def test_alerts_are_narrowed_to_what_is_asked(api: Api, asked: dict[str, str], wanted: Callable[[Any], bool]):
    with api.client() as client:
        everything = every(client, "alerts")
        results = every(client, "alerts", **asked, limit="3")
    by_name = {name: value for name, value in asked.items() if name != "acknowledged"}
    expected = [row for row in everything if wanted(row) and by_name.items() <= row.items()]
    assert 0 < len(results) < len(everything)
    assert results == expected


def test_gaps_are_given_as_they_were_stored(api: Api):
    with api.client() as client:
        rows = every(client, "gaps", symbol="BTCUSDT", venue="binance", limit="3")
        asked = {"from": str(FIRST + 20 * MINUTE), "to": str(FIRST + 60 * MINUTE)}
        some = every(client, "gaps", symbol="ETHUSDT", **asked)
        none = every(client, "gaps", venue="kraken")
        (lost,) = every(client, "gaps", symbol="ALL")
    stored = [msgspec.structs.asdict(gap("BTCUSDT", minute)) for minute in range(0, MINUTES, 20)]
    assert rows == stored
    assert [row["start"] for row in some] == [FIRST + 20 * MINUTE, FIRST + 40 * MINUTE]
    assert none == []
    assert lost == msgspec.structs.asdict(lost_by("reader", LOST))
    messages = [lost[name] for name in ("reader", "topic", "partition", "first_offset", "last_offset")]
    assert messages == ["reader", "ticks", 3, 5, 7]


def test_pages_are_complete_while_rows_are_added(new_market: Callable[[], Market], kafka, tmp_path):
    market = new_market()
    market.write(60)
    with serving(market.url, kafka, tmp_path, api_rate="1000", api_burst="1000") as api, api.client() as client:
        asked = {"symbol": "BTCUSDT", "limit": "37"}
        before = every(client, "predictions", **asked)
        added = iter(range(4))

        def add() -> None:
            if next(added, None) is not None:
                market.write(5)

        while_added = [row for page in pages(client, "predictions", add, **asked) for row in page]
        after = every(client, "predictions", **asked)
    assert len(after) == len(before) + 20 * 2 * len(HORIZONS)
    assert while_added == after  # in the order of time: what comes meanwhile is met on the way
    assert after[: len(before)] == before


@pytest.mark.parametrize("spelled", ["BTC/USDT", "btcusdt", "BTC-USDT", "BINANCE:BTCUSDT"])
@pytest.mark.parametrize("path", ["bars", "features", "predictions", "predictions/latest", "outcomes", "regimes"])
def test_a_symbol_is_found_however_it_is_spelled(api: Api, path: str, spelled: str):
    with api.client() as client:
        asked = client.get(f"/v1/{path}", params={"symbol": spelled, "limit": "50"}).json()["rows"]
        ours = client.get(f"/v1/{path}", params={"symbol": "BTCUSDT", "limit": "50"}).json()["rows"]
    assert ours
    assert asked == ours
