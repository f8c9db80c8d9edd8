"""One stage builds all kinds of bars from the same ticks; what is said of those not cut by time goes no further."""

from typing import Any

import msgspec
import pytest

from features import bars as time_bars
from features.table import FINGERPRINT, NAMES
from models.predictor import Predictor
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
