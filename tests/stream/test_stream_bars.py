"""One stage builds all kinds of bars from the same ticks; what is said of those not cut by time goes no further."""

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from aiokafka import AIOKafkaProducer
from stacks import Servers, running
from stream_runs import COMPONENTS, Run

from features import bars as time_bars
from features.table import FINGERPRINT, NAMES
from models.predictor import Predictor
from stack import state as stack_state
from stream.bars import Bars, BarStates
from stream.shell import Part
from stream.stages import Outcomes, Predictions
from topics import codec
from topics.catalog import BARS, DEAD_LETTERS
from topics.limits import MOST_VOLUME
from topics.records import Bar, DeadLetter, Features, Forecast, Prediction, Tick

START, MINUTE = 1_748_044_800_000, 60_000


def tick(after: int, price: float = 10.0, amount: float = 1.0) -> Tick:
    return Tick("BTCUSDT", START + after, price, amount, "buy")


def part(offset: int, *ticks: Tick) -> Part[Tick]:
    return Part(0, offset, 1_500, list(range(len(ticks))), list(ticks))


def step(stage: Bars, state: BarStates, *parts: Part[Tick]) -> tuple[BarStates, list[Any]]:
    """One step, with the states through bytes; return what is published, in order."""
    state, outputs = stage.step(stage.load(("BTCUSDT", "1m"), stage.dump(state)), parts)
    assert {topic for topic, _ in outputs} == {BARS, DEAD_LETTERS}
    return state, [record for _, records in outputs for record in records]


def begin(stage: Bars) -> BarStates:
    return stage.load(("BTCUSDT", "1m"), None)


def test_the_same_ticks_become_bars_of_every_kind() -> None:
    stage = Bars("1m", 0, ("tick-3", "volume-2.5"))
    ticks = [tick(second * 20_000) for second in range(7)]
    state, published = step(stage, begin(stage), part(0, *ticks[:4]), part(1, *ticks[4:]))
    assert [(bar.interval, bar.time - START, bar.trades, bar.buy_trades) for bar in published] == [
        ("1m", 0, 3, 3),
        ("1m", MINUTE, 3, 3),
        ("tick-3", 0, 3, 3),
        ("tick-3", MINUTE, 3, 3),
        ("volume-2.5", 0, 3, 3),
        ("volume-2.5", MINUTE, 3, 3),
    ]
    _, again = step(stage, state, part(2, *(tick(140_000 + second) for second in range(2))))
    assert [bar.interval for bar in again] == ["tick-3", "volume-2.5"]


def test_a_tick_that_no_kind_can_take_is_one_dead_letter_and_a_late_one_still_counts_where_nothing_is_late() -> None:
    stage = Bars("1m", 0, ("tick-9", "dollar-1000"))
    state, _ = step(stage, begin(stage), part(6, tick(0), tick(MINUTE)))
    for bar in (state.time.open[START + MINUTE], *(other.open for other in state.others.values())):
        assert bar is not None
        bar.volume = MOST_VOLUME  # so much was traded that hardly anything more fits in
    state, published = step(stage, state, part(7, tick(1), tick(MINUTE + 1, amount=1e18)))
    letters = [record for record in published if isinstance(record, DeadLetter)]
    assert [(letter.offset, letter.row, letter.reason.split(":")[0]) for letter in letters] == [
        (7, 0, "late"),
        (7, 1, "with this trade the bar's volume would be beyond what a bar may hold"),
    ]
    opened = state.others["tick-9"].open
    assert opened is not None
    assert opened.trades == 3


def test_a_kind_that_is_configured_later_begins_then_and_one_that_is_not_any_more_is_forgotten() -> None:
    before, after = Bars("1m", 0, ("tick-2", "tick-5")), Bars("1m", 0, ("tick-5", "range-10"))
    state, _ = step(before, begin(before), part(0, tick(0)))
    state, _ = step(after, state, part(1, tick(1)))
    opened = {interval: other.open and other.open.trades for interval, other in state.others.items()}
    assert opened == {"tick-5": 2, "range-10": 1}
    assert state.time.open[START].trades == 2


def test_a_state_of_time_bars_alone_is_still_read() -> None:
    older, _, _ = time_bars.step(time_bars.initial(), [tick(0)], 0, "1m", 0)
    stage = Bars("1m", 0, ("tick-2",))
    state = stage.load(("BTCUSDT", "1m"), older.dumps())
    assert (state.time, state.others) == (older, {})
    with pytest.raises(ValueError, match="position"):
        stage.load(("BTCUSDT", "1m"), msgspec.msgpack.encode({"position": "x"}))


@pytest.mark.parametrize("interval", ["tick-500", "volume-0.5", "dollar-1000", "range-10"])
def test_no_forecasts_are_made_or_scored_for_bars_that_are_not_cut_by_time(interval: str) -> None:
    stage = Predictions(Predictor([], NAMES), FINGERPRINT, len(NAMES))
    row = Features("BTCUSDT", interval, START, 1.0, FINGERPRINT, [None] * len(NAMES))
    assert stage.check(row) is None
    state = stage.load(("BTCUSDT", interval), None)
    assert stage.step(state, [Part(0, 0, 0, [0], [row])]) == (state, [])
    said = Prediction("BTCUSDT", interval, START, "mine", "v1", "f", 1.0, [Forecast(1, 0.1)])
    assert f"{interval} bars are not cut by time" in (Outcomes().check(said) or "")
    assert Outcomes().check(msgspec.structs.replace(said, interval="1m")) is None


# --- through the real pipeline ---------------------------------------------------------------------------------------

MINUTES, A_MINUTE = 12, 20
KINDS = {"tick-7": 7, "volume-2.5": 5}
"""The kinds built beside 1m, and the trades in each bar of theirs: every trade is of 0.5."""


def trades() -> list[Tick]:
    """Return twenty trades a minute, some of them at the same millisecond; the last closes the last minute."""
    times = [minute * MINUTE + trade // 2 * 6_000 for minute in range(MINUTES) for trade in range(A_MINUTE)]
    made = [Tick("BTCUSDT", START + time, 100 + k % 13, 0.5, "buy", str(k)) for k, time in enumerate(times)]
    return [*made, Tick("BTCUSDT", START + MINUTES * MINUTE + 30_000, 100.0, 0.5, "sell", "last")]


def bars_of(ticks: list[Tick], interval: str, size: int) -> list[tuple[Any, ...]]:
    """Return the bars of so many ticks each, as they must be stored."""
    found, last = [], -1
    for first in range(0, len(ticks) - size + 1, size):
        rows = ticks[first : first + size]
        prices = [row.price for row in rows]
        last = max(rows[0].time, last + 1)
        buyers = sum(row.side == "buy" for row in rows)
        found.append((interval, last, prices[0], max(prices), min(prices), prices[-1], size / 2, size, buyers))
    return found


async def produce(servers: Servers) -> None:
    """Send some trades one by one and the rest in frames; then what somebody else may say of such bars."""
    ticks = trades()
    frames = [[one] for one in ticks[:50]] + [ticks[first : first + 60] for first in range(50, len(ticks), 60)]
    others = {
        "predictions": Prediction("BTCUSDT", "tick-7", START, "mine", "v1", "f", 1.0, [Forecast(1, 0.1)]),
        "bars": Bar("ETHUSDT", "range-10", START + 1, 1.0, 1.0, 1.0, 1.0, None),
    }
    async with AIOKafkaProducer(bootstrap_servers=servers.kafka) as producer:
        for topic, record in others.items():
            await producer.send_and_wait(topic, codec.encode([record]), key=record.symbol.encode())
        for frame in frames:
            await producer.send_and_wait("ticks", codec.encode(frame), key=b"BTCUSDT")


@pytest.mark.services
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ticks_become_bars_of_all_kinds_on_disk_and_features_of_each(trained: Path) -> None:
    with running(COMPONENTS, trained, {"FORETICK_BARS": ",".join(KINDS)}) as servers:
        asyncio.run(produce(servers))
        run = Run(servers)
        run.wait(MINUTES * 12 + 1)
        with psycopg.connect(servers.database_url) as connection:
            stored = connection.execute(
                "SELECT interval, (extract(epoch FROM time) * 1000)::int8, open, high, low, close, volume, trades, "
                "buy_trades FROM bars WHERE symbol = 'BTCUSDT' AND interval <> '1m' ORDER BY interval, time"
            ).fetchall()
            minutes = connection.execute("SELECT trades, buy_trades, gap FROM bars WHERE interval = '1m'").fetchall()
            count = "SELECT interval, count(*) FROM {} WHERE symbol = 'BTCUSDT' GROUP BY interval"
            features = dict(connection.execute(count.format("features")).fetchall())
            predicted = connection.execute("SELECT DISTINCT interval, model FROM predictions").fetchall()
            gap = NAMES.index("missing_before") + 1
            missing = connection.execute(
                f"SELECT count(values[{gap}]) FROM features WHERE interval <> '1m'"  # noqa: S608 - a number of ours
            ).fetchone()
            letters = connection.execute("SELECT topic, reason, value FROM dead_letters").fetchall()
        expected = [bar for kind, size in KINDS.items() for bar in bars_of(trades(), kind, size)]
        assert stored == expected
        assert minutes == [(A_MINUTE, A_MINUTE, 0)] * MINUTES
        assert features == {"1m": MINUTES} | {kind: len(trades()) // size for kind, size in KINDS.items()}
        assert {interval for interval, model in predicted if model != "mine"} == {"1m"}
        assert missing == (0,)
        assert [(topic, json.loads(value)["model"]) for topic, _, value in letters] == [("predictions", "mine")]
        assert "tick-7 bars are not cut by time" in letters[0][1]
        found = stack_state.read(servers.home)
        assert found is not None
        assert {name: found.components[name].restarts for name in ("worker", "persist")} == {"worker": 0, "persist": 0}
