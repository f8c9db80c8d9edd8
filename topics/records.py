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
Role = Literal["champion", "challenger", "shadow"]
"""What a model version's forecasts are for: the champion's are the model's word; the others are only scored. A
challenger may take the champion's place; the shadow is the champion before, kept warm for a rollback."""


class Tick(Struct, frozen=True, gc=False, omit_defaults=True):
    """One trade. `side` is the taker's; `repaired`: it came too late to be live, asked for after a hole was found."""

    symbol: Symbol
    time: Time
    price: float
    amount: float
    side: Literal["buy", "sell"] | None = None
    trade_id: Name | None = None
    venue: Name | None = None
    repaired: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.price < inf:
            raise ValueError(f"price {self.price} is not a positive number")
        if not 0 < self.amount < inf:
            raise ValueError(f"amount {self.amount} is not a positive number")


class Gap(Struct, frozen=True, gc=False, omit_defaults=True):
    """Trades of a symbol that a venue had and we have not: between `start` and `end` nothing more is known.

    They are the times of the last trade before and of the first after, whose ids are `after_id` and `before_id`.
    `trades` is how many are missing, where the venue counts its trades. The gap was found by `end` at the earliest.

    With a `reader` it is no venue's: that consumer group never got the Kafka records from `first_offset` to
    `last_offset` of a topic's partition, since they were deleted before. Their symbols are unknown: ``ALL``.
    """

    symbol: Symbol
    venue: Name
    start: Time
    end: Time
    reason: str
    trades: Count | None = None
    after_id: Name | None = None
    before_id: Name | None = None
    reader: Name | None = None
    topic: Name | None = None
    partition: Count | None = None
    first_offset: Count | None = None
    last_offset: Count | None = None

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"a gap cannot end at {self.end}, before its start at {self.start}")


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
    """What one model version said at the close of the bar at `time`, for every horizon. `price` is that close.

    `dissimilarity` tells how far the bar's features are from the data that the version was trained on: above 1 they are
    farther than that data is from itself, and the forecast is not to be trusted. `expired`: the training is too old.
    """

    symbol: Symbol
    interval: Interval
    time: Time
    model: Name
    version: Name
    fingerprint: Name
    price: float
    forecasts: list[Forecast]
    regime: Name | None = None
    role: Role = "champion"
    dissimilarity: float | None = None
    expired: bool = False


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
    role: Role = "champion"


class Alert(Struct, frozen=True, gc=False, omit_defaults=True):
    """A rule that matched, once: `alert_id` is made of the rule, its version and the record that it matched.

    `time` is the record's. `symbol` is ``ALL`` where the record names none, and a component's name in capitals where
    the rule is about health. `value` is the number that the condition looked at; `held` counts what matched since the
    alert before about the symbol and was held back by the rule's cooldown or quiet hours.
    """

    alert_id: Name
    rule: Name
    symbol: Symbol
    time: Time
    severity: Literal["info", "warning", "critical"]
    message: str
    rule_version: Count = 0
    model: Name | None = None
    interval: Interval | None = None
    horizon: Horizon | None = None
    value: float | None = None
    held: Count = 0


class Deployment(Struct, frozen=True, gc=False, omit_defaults=True):
    """Which versions of a model predict from now on: the newest of a model counts, and says all of it.

    The `number`-th decision about the model, made at `time` by `decided_by` (``user``, ``sequential test``, ...), on
    `evidence`, numbers by their names. `champion` None: the model leaves service. `shadow` is the champion before.
    """

    model: Name
    number: Count
    action: Literal["serve", "challenge", "withdraw", "promote", "rollback", "retire"]
    champion: Name | None
    fingerprint: Name
    time: Time
    challengers: list[Name] = []
    shadow: Name | None = None
    decided_by: Name = ""
    why: str = ""
    evidence: dict[str, float] | None = None


class ModelEvent(Struct, frozen=True, gc=False, omit_defaults=True):
    """What a worker did with a model version: ``loaded`` or ``refused`` it, or began ``serving`` it for a symbol.

    `number` is the deployment's that asked for it. `time` is when; of ``serving`` the time of the first bar of `symbol`
    and `interval` that the version forecast as champion.
    """

    model: Name
    version: Name
    event: Literal["loaded", "refused", "serving"]
    fingerprint: Name
    time: Time
    number: Count = 0
    role: Role | None = None
    symbol: Symbol | None = None
    interval: Interval | None = None
    reason: str | None = None


class Drift(Struct, frozen=True, gc=False, omit_defaults=True):
    """A change that has lasted until the bar at `time`: what `detector` measured (`statistic`) is beyond its `limit`.

    `kind` is what changed: a model's ``errors`` or ``coverage``, the ``features``, the share of bars unlike the
    training data (``dissimilarity``), or the model's age (``expiry``). `since` is when it is thought to have begun.
    """

    model: Name
    version: Name
    kind: Literal["errors", "coverage", "features", "dissimilarity", "expiry"]
    detector: Name
    time: Time
    statistic: float
    limit: float
    interval: Interval
    symbol: Symbol | None = None
    horizon: Horizon | None = None
    since: Time | None = None
    detail: str = ""


class DeadLetter(Struct, frozen=True, gc=False, omit_defaults=True):
    """Bytes that could not be read or used, where they came from, and why.

    `topic`, `partition` and `offset` are the origin in Kafka (for a file: its name, 0 and the row), `row` the place in
    the frame; `value` and `key` are base64. `time` is the origin's timestamp. Where the value was too large for a
    letter its beginning is there, and `size` is how many bytes it has.
    """

    topic: Name
    partition: Count
    offset: Count
    reason: str
    value: bytes
    time: Time
    key: bytes | None = None
    row: Count = 0
    size: Count | None = None


RECORDS: tuple[type[Struct], ...] = (
    Tick,
    Gap,
    Bar,
    Features,
    Regime,
    Prediction,
    Outcome,
    Alert,
    Deployment,
    ModelEvent,
    Drift,
    DeadLetter,
)
