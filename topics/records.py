"""The records, in the order in which they flow. Each is frozen, validated when built, and plain JSON on the wire.

Times are epoch milliseconds, UTC. Prices and amounts are in the symbol's quote and base currency. Unknown is None.
An impossible record (a bar whose high is below its low) raises ValueError. The limits of the fields are in
`topics.limits`; the codec refuses values beyond them, and the folds produce none.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from topics.limits import (
    LEAST_AMOUNT,
    LEAST_PRICE,
    LEAST_SCALE,
    MOST_AMOUNT,
    MOST_CHALLENGERS,
    MOST_FORECASTS,
    MOST_KEYS,
    MOST_PRICE,
    MOST_QUOTE,
    MOST_RETURN,
    MOST_SCALE,
    MOST_VALUES,
    MOST_VOLUME,
    Amount,
    Close,
    Count,
    Dissimilarity,
    Horizon,
    Interval,
    Key,
    Label,
    LabelOrNone,
    Loss,
    MarketTime,
    Name,
    Number,
    Price,
    Probability,
    Quantile,
    QuoteVolume,
    Return,
    Scale,
    Symbol,
    Text,
    Time,
    Version,
    Volume,
    Weight,
)
from topics.units import measure

HORIZONS = (1, 5, 15, 60)
"""The horizons of a prediction, in bars."""
QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""The levels of a forecast's quantiles."""

Role = Literal["champion", "challenger", "standby"]
"""The role of a model version: the champion's forecasts are served; the others are only scored. A challenger may
replace the champion; the standby is the previous champion, kept warm for a rollback."""


class Tick(Struct, frozen=True, gc=False, omit_defaults=True):
    """One trade. `side` is the taker's; `repaired`: it was fetched after a gap was found, too late to be live."""

    symbol: Symbol
    time: MarketTime
    price: Price
    amount: Amount
    side: Literal["buy", "sell"] | None = None
    trade_id: Name | None = None
    venue: Name | None = None
    repaired: bool = False

    def __post_init__(self) -> None:
        if not LEAST_PRICE <= self.price <= MOST_PRICE:
            raise ValueError(f"price {self.price} is not a positive number from {LEAST_PRICE:g} to {MOST_PRICE:g}")
        if not LEAST_AMOUNT <= self.amount <= MOST_AMOUNT:
            raise ValueError(f"amount {self.amount} is not a positive number from {LEAST_AMOUNT:g} to {MOST_AMOUNT:g}")


class Gap(Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """Missing trades of a symbol: between `start` and `end` no others are known.

    They are the times of the last trade before and of the first after, whose ids are `after_id` and `before_id`.
    `trades` is how many are missing, if the venue's ids are consecutive. The gap was found at `end` at the earliest.

    With a `reader` it is a gap of that consumer group, which never got the Kafka records from `first_offset` to
    `last_offset` of a topic's partition, since they were deleted before. Their symbols are unknown: ``ALL``.
    """

    symbol: Symbol
    venue: Name
    start: MarketTime
    end: MarketTime
    reason: Text
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
    """The trades of one interval that starts at `time`; `gap` counts the intervals missing just before it.

    An interval is a span of time, or ends at a threshold of activity (`topics.units.measure`); then `time` is the first
    trade's, or one millisecond after the time of the previous bar if that is later, and nothing is ever missing.
    `buy_volume` and `buy_trades` are the takers' purchases. `market_return` is the log return of the universe's
    weighted mean since this symbol's previous bar, `lead_return` that of its symbol of greatest weight; `market_rank`
    is this symbol's place, from 0 (fell most) to 1, among those that have a bar in this interval and in the one before.
    They are None before the market stage, or if no universe is configured. `suspect` describes a price that is probably
    wrong, and why (`features.suspect_prices`); None also if it was not checked.
    """

    symbol: Symbol
    interval: Interval
    time: MarketTime
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Volume | None
    trades: Count | None = None
    buy_volume: Volume | None = None
    quote_volume: QuoteVolume | None = None
    gap: Count = 0
    buy_trades: Count | None = None
    market_return: Return | None = None
    market_rank: Probability | None = None
    lead_return: Return | None = None
    suspect: Text | None = None

    def __post_init__(self) -> None:
        low, high = self.low, self.high
        if not (LEAST_PRICE <= low <= self.open <= high <= MOST_PRICE and low <= self.close <= high):
            raise ValueError(
                f"prices open {self.open}, high {high}, low {low}, close {self.close} are not positive with "
                f"low <= open, close <= high, all from {LEAST_PRICE:g} to {MOST_PRICE:g}"
            )
        if self.volume is not None and not (LEAST_AMOUNT <= self.volume <= MOST_VOLUME or self.volume == 0):
            raise ValueError(f"volume {self.volume} is neither 0 nor from {LEAST_AMOUNT:g} to {MOST_VOLUME:g}")
        bought, quote = self.buy_volume, self.quote_volume
        if bought is not None and not 0 <= bought <= MOST_VOLUME:
            raise ValueError(f"buy_volume {bought} is not from 0 to {MOST_VOLUME:g}")
        if quote is not None and not 0 <= quote <= MOST_QUOTE:
            raise ValueError(f"quote_volume {quote} is not from 0 to {MOST_QUOTE:g}")
        kind, size = measure(self.interval)
        if kind == "time" and self.time % size:
            raise ValueError(f"time {self.time} is not the start of a {self.interval} interval")


class Features(Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """The indicators of one bar, in the order that the definition named by `fingerprint` gives; None is unknown."""

    symbol: Symbol
    interval: Interval
    time: MarketTime
    close: Close
    fingerprint: Label
    values: Annotated[list[Number | None], Meta(max_length=MOST_VALUES)]


class Regime(Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """The market state after one bar, filtered (never smoothed): the likeliest state and the posterior of each.

    `change_point` is the probability that the volatility changed within the last hour.
    """

    symbol: Symbol
    interval: Interval
    time: MarketTime
    state: Name
    posterior: Annotated[dict[Key, Probability], Meta(max_length=MOST_KEYS)]
    change_point: Probability | None = None


class Forecast(Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """The distribution of the log return over `horizon` bars; None if the model has no forecast yet.

    `quantiles` are at the levels `QUANTILES`, never decreasing. `weights` are those of each model in a combination, by
    the models' names; None for a model that is no combination.
    """

    horizon: Horizon
    mean: Return | None = None
    scale: Scale | None = None
    quantiles: list[Quantile] | None = None
    p_up: Probability | None = None
    weights: Annotated[dict[Key, Weight], Meta(max_length=MOST_KEYS)] | None = None

    def __post_init__(self) -> None:
        if self.scale is not None and not LEAST_SCALE <= self.scale <= MOST_SCALE:
            raise ValueError(f"scale {self.scale} is not a positive number from {LEAST_SCALE:g} to {MOST_SCALE:g}")
        if self.quantiles is not None:
            if len(self.quantiles) != len(QUANTILES):
                raise ValueError(f"{len(self.quantiles)} quantiles, not {len(QUANTILES)}")
            first, second, third, median, fifth, sixth, last = self.quantiles
            if not first <= second <= third <= median <= fifth <= sixth <= last:
                raise ValueError("quantiles decrease")
            if first < -MOST_RETURN or last > MOST_RETURN:
                raise ValueError(f"quantiles from {first} to {last} are not within {MOST_RETURN:g} of 0")


class Prediction(Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """The forecasts of one model version at the close of the bar at `time`, for every horizon. `price` is that close.

    `dissimilarity` is the distance of the bar's features from the version's training data: above 1 it exceeds the
    distances within that data, and the forecast is unreliable. `expired`: the training is too old.
    """

    symbol: Symbol
    interval: Interval
    time: MarketTime
    model: Label
    version: Label
    fingerprint: Label
    price: Close
    forecasts: Annotated[list[Forecast], Meta(max_length=MOST_FORECASTS)]
    regime: Name | None = None
    role: Role = "champion"
    dissimilarity: Dissimilarity | None = None
    expired: bool = False


class Outcome(Struct, frozen=True, gc=False, omit_defaults=True):
    """The realised outcome of one forecast, and its scores.

    `time` is the prediction's; `target_time` is `horizon` intervals later. `status` is ``scored``; ``stale`` if no bar
    traded at the target, so that the outcome is unknown; or ``unscored`` if the model had no forecast. Returns and
    errors are log returns. `pinball` is the mean over `QUANTILES`, and `naive_pinball` that of the naive model's
    champion at the same bar; `naive_absolute_error` is that of a zero forecast; `interval_hit` is of the 90 % interval.
    `direction_hit` is None if the price did not move.
    """

    symbol: Symbol
    interval: Interval
    time: MarketTime
    model: Label
    version: Label
    horizon: Horizon
    target_time: MarketTime
    status: Literal["scored", "stale", "unscored"]
    realised: Return | None = None
    absolute_error: Loss | None = None
    naive_absolute_error: Loss | None = None
    pinball: Loss | None = None
    interval_hit: bool | None = None
    direction_hit: bool | None = None
    role: Role = "champion"
    naive_pinball: Loss | None = None


class Alert(Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """A rule that matched, once: `alert_id` is made of the rule, its version and the record that it matched.

    `time` is the record's. `symbol` is ``ALL`` if the record names none, and a component's name in capitals if the rule
    is about health. `value` is the number that the condition tested; `suppressed` counts the matches since the previous
    alert on the symbol that the rule did not send because of its cooldown or quiet hours.
    """

    alert_id: Name
    rule: Name
    symbol: Symbol
    time: Time
    severity: Literal["info", "warning", "critical"]
    message: Text
    rule_version: Count = 0
    model: Label | None = None
    interval: Interval | None = None
    horizon: Horizon | None = None
    value: Number | None = None
    suppressed: Count = 0


class Deployment(Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """Which versions of a model predict from now on: a model's newest deployment is in force, and complete in itself.

    The `number`-th decision about the model, made at `time` by `decided_by` (``user``, ``sequential test``, ...), on
    `evidence`, numbers by their names. `champion` None: the model leaves service. `standby` is the previous champion.
    """

    model: Label
    number: Count
    action: Literal["serve", "challenge", "withdraw", "promote", "rollback", "retire"]
    champion: Version | None
    fingerprint: Label
    time: Time
    challengers: Annotated[list[Version], Meta(max_length=MOST_CHALLENGERS)] = []
    standby: Version | None = None
    decided_by: Name = ""
    why: Text = ""
    evidence: Annotated[dict[Key, Number], Meta(max_length=MOST_KEYS)] | None = None


class ModelEvent(Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """An event of a model version in a worker: ``loaded``, ``refused``, or ``serving`` for a symbol.

    `number` is that of the deployment; for one that is refused because its signature is invalid it is 0, and `version`
    and `fingerprint` are empty. `time` is when; of ``serving`` the time of the first bar of `symbol` and `interval`
    that the version forecast as champion.
    """

    model: Label
    version: LabelOrNone
    event: Literal["loaded", "refused", "serving"]
    fingerprint: LabelOrNone
    time: Time
    number: Count = 0
    role: Role | None = None
    symbol: Symbol | None = None
    interval: Interval | None = None
    reason: Text | None = None


class Drift(Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """A lasting change, up to the bar at `time`: the `statistic` of the `detector` is beyond its `limit`.

    `kind` is the quantity that changed: a model's ``errors`` or ``coverage``, the ``features``, the share of bars that
    are out of distribution (``dissimilarity``), or the model's age (``expiry``). `since` is the estimated beginning.
    """

    model: Label
    version: Label
    kind: Literal["errors", "coverage", "features", "dissimilarity", "expiry"]
    detector: Name
    time: Time
    statistic: Number
    limit: Number
    interval: Interval
    symbol: Symbol | None = None
    horizon: Horizon | None = None
    since: Time | None = None
    detail: Text = ""


class DeadLetter(Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """Bytes that could not be read or used, with their origin and the reason.

    `topic`, `partition` and `offset` are the origin in Kafka (for a file: its name, 0 and the row), `row` the index in
    the frame; `value` and `key` are base64. `time` is the origin's timestamp. A value that is too large for a dead
    letter is truncated, and `size` is its size in bytes.
    """

    topic: Name
    partition: Count
    offset: Count
    reason: Text
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
