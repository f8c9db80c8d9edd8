"""One stage builds all kinds of bars from the same ticks; what is said of those not cut by time goes no further."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from features import bars as time_bars
from features.table import FINGERPRINT, NAMES
from models.serving.predictor import Predictor
from stream.bars import Bars, BarStates
from stream.shell import Part
from stream.stages import Outcomes, Predictions
from topics.catalog import BARS, DEAD_LETTERS
from topics.limits import MOST_VOLUME
from topics.records import DeadLetter, Features, Forecast, Prediction, Tick

START, MINUTE = 1_748_044_800_000, 60_000


def tick(after: int, price: float = 10.0, amount: float = 1.0) -> Tick:
    return Tick("BTCUSDT", START + after, price, amount, "buy")


def part(offset: int, *ticks: Tick) -> Part[Tick]:
    return Part(partition=0, offset=offset, timestamp=1_500, rows=list(range(len(ticks))), records=list(ticks))


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
    dead_letters = [record for record in published if isinstance(record, DeadLetter)]
    assert [(letter.offset, letter.row, letter.reason.split(":")[0]) for letter in dead_letters] == [
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
    row = Features(
        symbol="BTCUSDT", interval=interval, time=START, close=1.0, fingerprint=FINGERPRINT, values=[None] * len(NAMES)
    )
    assert stage.check(row) is None
    state = stage.load(("BTCUSDT", interval), None)
    assert stage.step(state, [Part(partition=0, offset=0, timestamp=0, rows=[0], records=[row])]) == (state, [])
    prediction = Prediction(
        symbol="BTCUSDT",
        interval=interval,
        time=START,
        model="mine",
        version="v1",
        fingerprint="f",
        price=1.0,
        forecasts=[Forecast(horizon=1, mean=0.1)],
    )
    assert f"{interval} bars are not cut by time" in (Outcomes().check(prediction) or "")
    assert Outcomes().check(msgspec.structs.replace(prediction, interval="1m")) is None


def prices(of: Callable[[int], float], bars: int = 40) -> list[Tick]:
    return [tick(bar * MINUTE + second * 1_000, of(bar)) for bar in range(bars) for second in (0, 30)]


def test_bars_of_every_kind_are_suspect_with_a_wrong_trade_and_not_after_it() -> None:
    stage = Bars("1m", 0, ("tick-2",))
    ticks = prices(lambda bar: 1_000.0 if bar == 30 else 100.0 + bar % 2)
    state, results = begin(stage), list[Any]()
    for offset, one in enumerate(ticks):
        state, published = step(stage, state, part(offset, one))
        results += published
    suspect = [(bar.interval, bar.time - START, bar.close, bar.suspect.split(",")[0]) for bar in results if bar.suspect]
    words = "close is 9.9 times the close before"
    assert suspect == [("tick-2", 30 * MINUTE, 1_000.0, words), ("1m", 30 * MINUTE, 1_000.0, words)]


def test_a_state_from_before_anyone_looked_at_prices_goes_on() -> None:
    stage = Bars("1m", 0, ("tick-3",))
    state, _ = step(stage, begin(stage), part(0, *prices(lambda _: 100.0)))
    old = msgspec.msgpack.decode(stage.dump(state))
    del old["seen"]
    again = stage.load(("BTCUSDT", "1m"), msgspec.msgpack.encode(old))
    assert again == BarStates(state.time, state.others)
    assert step(stage, again, part(1, tick(40 * MINUTE)))[1][0].suspect is None
