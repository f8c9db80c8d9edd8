"""The records, in the order in which they flow. Each is frozen, validated when built, and plain JSON on the wire.

Times are epoch milliseconds, UTC. Prices and amounts are in the symbol's quote and base currency. Unknown is None.
A record that would be impossible (a bar whose high is below its low) raises ValueError and cannot be built.
"""

from math import inf
from typing import Annotated, Literal

from msgspec import Meta, Struct

from topics.units import INTERVAL, measure

HORIZONS = (1, 5, 15, 60)
"""The horizons of a prediction, in bars."""
QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""The levels of a forecast's quantiles."""
END_OF_TIME = 10_000_000_000_000
"""Every time is before this (epoch ms): the year 2286."""

PATTERNS = {"symbol": r"^[A-Z0-9][A-Z0-9._:/-]*$", "interval": INTERVAL}
"""What the texts in these fields match. The codec sees to it once a frame; msgspec would once a record."""

Symbol = Annotated[
    str,
    Meta(min_length=1, max_length=64, examples=["BTCUSDT"], extra_json_schema={"pattern": PATTERNS["symbol"]}),
]
Interval = Annotated[str, Meta(examples=["1m", "tick-500"], extra_json_schema={"pattern": PATTERNS["interval"]})]
Time = Annotated[int, Meta(ge=0, lt=END_OF_TIME, description="epoch milliseconds, UTC")]
Horizon = Annotated[int, Meta(ge=1, le=100_000, description="bars ahead")]
Probability = Annotated[float, Meta(ge=0, le=1)]
# Whatever is decoded must also fit into a 64-bit column and into an index, or one record would stop the rest.
Count = Annotated[int, Meta(ge=0, le=2**53)]
Name = Annotated[str, Meta(max_length=200)]


class Tick(Struct, frozen=True, gc=False, omit_defaults=True):
    """One trade. `side` is the taker's."""

    symbol: Symbol
    time: Time
    price: float
    amount: float
    side: Literal["buy", "sell"] | None = None
    trade_id: Name | None = None
    venue: Name | None = None

    def __post_init__(self) -> None:
        if not 0 < self.price < inf:
            raise ValueError(f"price {self.price} is not a positive number")
        if not 0 < self.amount < inf:
            raise ValueError(f"amount {self.amount} is not a positive number")


class Bar(Struct, frozen=True, gc=False, omit_defaults=True):
    """What was traded in one interval that starts at `time`; `gap` counts the intervals missing just before it.

    An interval is a span of time, or lasts until enough has happened (`topics.units.measure`); then `time` is the first
    trade's, or one millisecond after the time of the bar before where that is later, and nothing is ever missing.
    `buy_volume` and `buy_trades` are what takers bought. `market_return` is the log return of the universe's weighted
    mean since this symbol's bar before, `lead_return` that of its symbol of greatest weight; `market_rank` is this
    symbol's place, from 0 (fell most) to 1, among those that have a bar in this interval and in the one before. They
    are None where the bar has not met the others, or no universe is configured.
    """

    symbol: Symbol
    interval: Interval
    time: Time
    open: float
    high: float
    low: float
    close: float
    volume: float | None
    trades: Count | None = None
    buy_volume: float | None = None
    quote_volume: float | None = None
    gap: Count = 0
    buy_trades: Count | None = None
    market_return: float | None = None
    market_rank: Probability | None = None
    lead_return: float | None = None

    def __post_init__(self) -> None:
        if not (0 < self.low <= self.open <= self.high < inf and self.low <= self.close <= self.high):
            raise ValueError(
                f"prices open {self.open}, high {self.high}, low {self.low}, close {self.close} "
                "are not positive with low <= open, close <= high"
            )
        if self.volume is not None and not 0 <= self.volume < inf:
            raise ValueError(f"volume {self.volume} is negative or infinite")
        kind, size = measure(self.interval)
        if kind == "time" and self.time % size:
            raise ValueError(f"time {self.time} is not the start of a {self.interval} interval")


class Features(Struct, frozen=True, gc=False, omit_defaults=True):
    """The indicators of one bar, in the order that the definition named by `fingerprint` gives; None is unknown."""

    symbol: Symbol
    interval: Interval
    time: Time
    close: float
    fingerprint: Name
    values: list[float | None]


class Regime(Struct, frozen=True, gc=False, omit_defaults=True):
    """The market state after one bar, filtered (never smoothed): the likeliest state and the posterior of each.

    `change_point` is the probability that the volatility changed within the last hour.
    """

    symbol: Symbol
    interval: Interval
    time: Time
    state: Name
    posterior: dict[str, Probability]
    change_point: Probability | None = None


class Forecast(Struct, frozen=True, gc=False, omit_defaults=True):
    """The distribution of the log return over `horizon` bars; None where the model cannot say yet.

    `quantiles` are at the levels `QUANTILES`, never decreasing. `weights` are what each model counted in a combination
    of several, by the models' names; None of a model that combines none.
    """

    horizon: Horizon
    mean: float | None = None
    scale: float | None = None
    quantiles: list[float] | None = None
    p_up: Probability | None = None
    weights: dict[str, float] | None = None

    def __post_init__(self) -> None:
        if self.scale is not None and not 0 < self.scale < inf:
            raise ValueError(f"scale {self.scale} is not a positive number")
        if self.quantiles is not None:
            if len(self.quantiles) != len(QUANTILES):
                raise ValueError(f"{len(self.quantiles)} quantiles, not {len(QUANTILES)}")
            first, second, third, median, fifth, sixth, last = self.quantiles
            if not first <= second <= third <= median <= fifth <= sixth <= last:
                raise ValueError("quantiles decrease")


class Prediction(Struct, frozen=True, gc=False, omit_defaults=True):
    """What one model version said at the close of the bar at `time`, for every horizon. `price` is that close."""

    symbol: Symbol
    interval: Interval
    time: Time
    model: Name
    version: Name
    fingerprint: Name
    price: float
    forecasts: list[Forecast]
    regime: Name | None = None


class Outcome(Struct, frozen=True, gc=False, omit_defaults=True):
    """What came true of one forecast, and its scores.

    `time` is the prediction's; `target_time` is `horizon` intervals later. `status` is ``scored``; ``stale`` where no
    bar traded at the target, so that the market's answer is unknown; or ``unscored`` where the model had said nothing.
    Returns and errors are log returns. `pinball` is the mean over `QUANTILES`; `naive_absolute_error` is that of a zero
    forecast; `interval_hit` is of the 90 % interval. `direction_hit` is None where the price did not move.
    """

    symbol: Symbol
    interval: Interval
    time: Time
    model: Name
    version: Name
    horizon: Horizon
    target_time: Time
    status: Literal["scored", "stale", "unscored"]
    realised: float | None = None
    absolute_error: float | None = None
    naive_absolute_error: float | None = None
    pinball: float | None = None
    interval_hit: bool | None = None
    direction_hit: bool | None = None


class Alert(Struct, frozen=True, gc=False, omit_defaults=True):
    """A rule that matched, once: `alert_id` is made of the rule and the record that it matched."""

    alert_id: Name
    rule: Name
    symbol: Symbol
    time: Time
    severity: Literal["info", "warning", "critical"]
    message: str


class ModelEvent(Struct, frozen=True, gc=False, omit_defaults=True):
    """A model version entering or leaving service. `path` is where the artifact lies; `time` is when it was decided."""

    model: Name
    version: Name
    event: Literal["trained", "serving", "retired"]
    fingerprint: Name
    time: Time
    path: str | None = None
    reason: str | None = None


class DeadLetter(Struct, frozen=True, gc=False, omit_defaults=True):
    """Bytes that could not be read or used, where they came from, and why.

    `topic`, `partition` and `offset` are the origin in Kafka (for a file: its name, 0 and the row), `row` the place in
    the frame; `value` and `key` are base64. `time` is the origin's timestamp.
    """

    topic: Name
    partition: Count
    offset: Count
    reason: str
    value: bytes
    time: Time
    key: bytes | None = None
    row: Count = 0


RECORDS: tuple[type[Struct], ...] = (Tick, Bar, Features, Regime, Prediction, Outcome, Alert, ModelEvent, DeadLetter)
