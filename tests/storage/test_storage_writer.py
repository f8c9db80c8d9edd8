"""What is written is there exactly: all of a batch or nothing of it, once, whatever comes again or goes wrong."""

import asyncio
from typing import Any

import msgspec
import psycopg
import pytest
from storage_rows import Records, empty, physical, stored, write

from storage.errors import StorageError
from storage.timescale import Writer
from topics import codec
from topics.catalog import BARS, DEAD_LETTERS, FEATURES, MODEL_EVENTS, OUTCOMES, PREDICTIONS, REGIMES, STORED, TICKS
from topics.records import HORIZONS, Bar, DeadLetter, Features, Forecast, ModelEvent, Outcome, Prediction, Regime, Tick

pytestmark = pytest.mark.services

T0 = 1_600_000_020_000
MINUTE = 60_000


@pytest.fixture
def clean(database: str) -> str:
    """The module's database, emptied."""
    empty(database)
    return database


def bar(time: int = T0, symbol: str = "BTCUSDT", close: float = 1.5) -> Bar:
    return Bar(symbol, "1m", time, 1.0, 2.0, 0.5, close, 3.0)


def prediction(time: int = T0, model: str = "naive", **changes: Any) -> Prediction:
    quantiles = [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3]
    made = Prediction(
        symbol="BTCUSDT",
        interval="1m",
        time=time,
        model=model,
        version="v1",
        fingerprint="f1",
        price=1.5,
        forecasts=[Forecast(horizon=h, mean=0.1, scale=0.2, quantiles=quantiles, p_up=0.5) for h in HORIZONS],
        regime="calm",
    )
    return msgspec.structs.replace(made, **changes)


def outcome(time: int = T0, model: str = "naive", horizon: int = 1, **changes: Any) -> Outcome:
    made = Outcome(
        "BTCUSDT", "1m", time, model, "v1", horizon, time + horizon * MINUTE, "scored", 0.1, 0.2, 0.3, 0.4, True
    )
    return msgspec.structs.replace(made, **changes)


def some() -> Records:
    return {
        TICKS: [Tick("BTCUSDT", T0, 1.0, 2.0), Tick("BTCUSDT", T0, 1.0, 2.0)],
        BARS: [bar(), bar(T0 + MINUTE)],
        FEATURES: [
            Features(symbol="BTCUSDT", interval="1m", time=T0, close=1.5, fingerprint="f1", values=[1.0, None, 3.0])
        ],
        REGIMES: [
            Regime(
                symbol="BTCUSDT",
                interval="1m",
                time=T0,
                state="calm",
                posterior={"calm": 0.9, "wild": 0.1},
                change_point=0.25,
            )
        ],
        PREDICTIONS: [prediction(), prediction(model="river", regime=None)],
        OUTCOMES: [outcome(horizon=horizon) for horizon in HORIZONS],
    }


# --- again, at once, and in part -------------------------------------------------------------------------------------


def test_the_same_batch_twice_does_not_touch_a_row(clean: str) -> None:
    write(clean, some(), origins=["0-7-0", "0-7-1"])
    before = physical(clean)
    write(clean, some(), some(), origins=["0-7-0", "0-7-1"])
    assert physical(clean) == before
    assert len(stored(clean, TICKS)) == 2


def test_two_equal_trades_are_two_and_one_redelivered_is_one(clean: str) -> None:
    trade = Tick("BTCUSDT", T0, 1.0, 2.0)
    named = Tick("BTCUSDT", T0, 1.0, 2.0, trade_id="77", venue="binance")
    write(clean, {TICKS: [trade, trade, named]}, origins=["0-7-0", "0-7-1", "0-7-2"])
    write(clean, {TICKS: [trade, named]}, origins=["0-7-1", "0-9-0"])
    assert sorted(row[-1] for row in stored(clean, TICKS)) == ["0-7-0", "0-7-1", "binance:77"]


def test_a_batch_that_overlaps_adds_what_is_new_and_replaces_what_changed(clean: str) -> None:
    write(clean, {BARS: [bar(close=1.5), bar(T0 + MINUTE)]})
    write(clean, {BARS: [bar(close=1.75), bar(T0 + 2 * MINUTE)]})
    assert sorted((row[2].timestamp() * 1_000 - T0, row[6]) for row in stored(clean, BARS)) == [
        (0, 1.75),
        (MINUTE, 1.5),
        (2 * MINUTE, 1.5),
    ]


def test_of_one_identity_in_a_batch_the_last_counts(clean: str) -> None:
    write(clean, {BARS: [bar(close=1.1), bar(close=1.2), bar(close=1.3)], PREDICTIONS: [prediction(), prediction()]})
    assert [row[6] for row in stored(clean, BARS)] == [1.3]
    assert len(stored(clean, PREDICTIONS)) == len(HORIZONS)


def test_a_prediction_is_one_row_for_each_horizon_and_an_outcome_one(clean: str) -> None:
    times = [T0 + row * MINUTE for row in range(50)]
    models = ["naive", "river", "lightgbm"]
    write(
        clean,
        {
            PREDICTIONS: [prediction(time, model) for time in times for model in models],
            OUTCOMES: [outcome(time, model, horizon) for time in times for model in models for horizon in HORIZONS],
        },
    )
    for topic in (PREDICTIONS, OUTCOMES):
        rows = stored(clean, topic)
        assert len(rows) == len({row[:6] for row in rows}) == 50 * 3 * 4


def test_a_model_that_says_nothing_is_stored_as_unknown(clean: str) -> None:
    silent = prediction(forecasts=[Forecast(horizon=horizon) for horizon in HORIZONS])
    write(clean, {PREDICTIONS: [silent, prediction(T0 + MINUTE, forecasts=[])]})
    assert [row[9:20] for row in stored(clean, PREDICTIONS)] == [(None,) * 11] * len(HORIZONS)


def test_the_role_of_a_forecast_is_stored_and_the_last_of_one_bar_and_version_counts(clean: str) -> None:
    write(clean, {PREDICTIONS: [prediction(role="challenger", dissimilarity=1.5, expired=True)]})
    write(clean, {PREDICTIONS: [prediction(role="champion", dissimilarity=1.5)], OUTCOMES: [outcome(role="standby")]})
    assert {row[20:] for row in stored(clean, PREDICTIONS)} == {("champion", 1.5, False)}
    assert {row[-1] for row in stored(clean, OUTCOMES)} == {"standby"}


def test_the_log_of_deployments_takes_rows_and_changes_none(clean: str) -> None:
    with psycopg.connect(clean, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO model_deployments VALUES ('m', 1, 'serve', 'v1', '{}', NULL, 'f', now(), 'me', '', NULL)"
        )
        for change in ("UPDATE model_deployments SET why = 'x'", "DELETE FROM model_deployments"):
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                connection.execute(change)


def test_weights_are_stored_with_those_that_have_them_and_the_last_of_one_key_counts(clean: str) -> None:
    forecasts = [Forecast(horizon=1, mean=0.1, weights={"ridge": 0.25, "lightgbm": 0.75})]
    untold = [Forecast(horizon=1, mean=0.2)]
    many = [prediction(T0 + row * MINUTE, "naive") for row in range(3)]
    write(clean, {PREDICTIONS: [*many, prediction(T0, "ensemble", forecasts=forecasts)]})
    values = {(row[2], row[3], row[5]): row[19] for row in stored(clean, PREDICTIONS)}
    assert [weights for (_, model, _), weights in values.items() if model == "ensemble"] == [forecasts[0].weights]
    assert {weights for (_, model, _), weights in values.items() if model == "naive"} == {None}
    assert len(values) == 3 * len(HORIZONS) + 1
    write(clean, {PREDICTIONS: [*many, prediction(T0, "ensemble", forecasts=forecasts), *many]})
    write(clean, {PREDICTIONS: [prediction(T0, "ensemble", forecasts=part) for part in (forecasts, untold)]})
    last = [row for row in stored(clean, PREDICTIONS) if row[3] == "ensemble"]
    assert [(row[9], row[19]) for row in last] == [(0.2, None)]


def test_what_is_decoded_at_its_limits_is_stored(clean: str) -> None:
    value = msgspec.json.encode(
        {"symbol": "A" * 64, "interval": "99999d", "time": 99_999 * 86_400_000}
        | {"open": 1e-12, "high": 1e12, "low": 1e-12}
        | {"close": 1.0, "volume": None, "trades": 2**53, "gap": 2**53, "suspect": "p" * 9_000}
    )
    (record,) = codec.decode(value, Bar).records
    write(
        clean,
        {
            BARS: [record],
            MODEL_EVENTS: [
                ModelEvent(
                    model="m" * 200,
                    version="v" * 200,
                    event="refused",
                    fingerprint="f" * 200,
                    time=0,
                    reason="p" * 9_000,
                )
            ],
        },
    )
    assert stored(clean, BARS)[0][3:12] == (1e-12, 1e12, 1e-12, 1.0, None, 2**53, None, None, 2**53)
    assert stored(clean, BARS)[0][12:] == (None, None, None, None, "p" * 9_000)


def test_letters_of_megabytes_among_small_ones_are_stored(clean: str) -> None:
    values = [bytes([place]) * (3_000_000 if place % 40 == 0 else 10) for place in range(120)]
    write(
        clean,
        {
            DEAD_LETTERS: [
                DeadLetter(topic="bars", partition=0, offset=place, reason="no", value=value, time=T0)
                for place, value in enumerate(values)
            ]
        },
    )
    assert {row[2]: row[4] for row in stored(clean, DEAD_LETTERS)} == dict(enumerate(values))


# --- what goes wrong -------------------------------------------------------------------------------------------------


def test_a_batch_that_fails_in_the_middle_leaves_nothing(clean: str) -> None:
    with psycopg.connect(clean) as connection:
        connection.execute("ALTER TABLE outcome_rows ADD CONSTRAINT refused CHECK (pinball < 1)")
    try:
        for batch in (some(), {BARS: [bar()] * 2, **some()}):  # copied straight in, and merged
            bad = {**batch, OUTCOMES: [outcome(pinball=2.0)]}
            with pytest.raises(StorageError, match='violates check constraint "refused"') as caught:
                write(clean, bad, origins=["0-7-0", "0-7-1"])
            assert "\n" not in str(caught.value)
            assert [stored(clean, topic) for topic in STORED] == [[]] * len(STORED)
    finally:
        with psycopg.connect(clean) as connection:
            connection.execute("ALTER TABLE outcome_rows DROP CONSTRAINT refused")


def test_a_lost_connection_is_made_again_and_nothing_is_lost(clean: str) -> None:
    async def run() -> None:
        writer = Writer(clean)
        await writer.write({BARS: [bar()]})
        with psycopg.connect(clean, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        await writer.write({BARS: [bar(T0 + MINUTE)], PREDICTIONS: [prediction()]})
        await writer.close()

    asyncio.run(run())
    assert len(stored(clean, BARS)) == 2
    assert len(stored(clean, PREDICTIONS)) == len(HORIZONS)


def test_a_cancelled_write_leaves_nothing_and_the_writer_works_on(clean: str) -> None:
    many = {BARS: [bar(T0 + row * MINUTE) for row in range(20_000)]}

    async def run() -> None:
        writer = Writer(clean)
        await writer.define_features("f1", ["a", "b", "c"])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await writer.write(many)
        assert stored(clean, BARS) == []
        await writer.write({BARS: [bar()]})
        await writer.close()

    asyncio.run(run())
    assert len(stored(clean, BARS)) == 1


def test_many_writers_at_once_give_each_series_one_number(clean: str) -> None:
    batch = {
        PREDICTIONS: [prediction(model=f"m{number}", version="at once") for number in range(30)],
        OUTCOMES: [outcome(model=f"m{number}", version="at once") for number in range(30)],
    }

    async def run() -> None:
        writers = [Writer(clean) for _ in range(4)]
        await asyncio.gather(*(writer.write(batch) for writer in writers for _ in range(2)))
        await asyncio.gather(*(writer.close() for writer in writers))

    asyncio.run(run())
    assert len(stored(clean, PREDICTIONS)) == 30 * len(HORIZONS)
    assert len(stored(clean, OUTCOMES)) == 30


# --- what readers rely on --------------------------------------------------------------------------------------------


def test_scores_set_each_outcome_beside_the_newest_naive_one(clean: str) -> None:
    write(clean, {OUTCOMES: [outcome(pinball=0.4, version="old"), outcome(T0 + MINUTE, pinball=0.5, version="old")]})
    write(clean, {OUTCOMES: [outcome(pinball=0.3, version="new"), outcome(model="river", pinball=0.2)]})
    write(clean, {OUTCOMES: [outcome(T0 + MINUTE, "river", pinball=0.1), outcome(T0, "river", 5, pinball=0.1)]})
    write(clean, {OUTCOMES: [outcome(T0 + MINUTE, "river", 15, status="stale", pinball=None)]})
    query = "SELECT model, horizon, pinball, naive_pinball FROM scores WHERE model <> 'naive' ORDER BY time, horizon"
    with psycopg.connect(clean) as connection:
        assert connection.execute(query).fetchall() == [
            ("river", 1, 0.2, 0.3),
            ("river", 5, 0.1, None),
            ("river", 1, 0.1, 0.5),
        ]


def test_the_names_of_features_are_kept_once(clean: str) -> None:
    async def run() -> None:
        writer = Writer(clean)
        await writer.define_features("f1", ["rsi", "ema"])
        await writer.define_features("f1", ["rsi", "ema"])
        await writer.close()

    asyncio.run(run())
    with psycopg.connect(clean) as connection:
        assert connection.execute("SELECT * FROM feature_definitions").fetchall() == [("f1", ["rsi", "ema"])]
