"""The records of the streams, as they are on the topics. Times are epoch milliseconds, UTC; None is unknown.

Fields added by later server versions are ignored.
"""

from msgspec import Struct

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""The levels of a forecast's quantiles."""


class Forecast(Struct, frozen=True, kw_only=True):
    """The distribution of the log return over `horizon` bars."""

    horizon: int
    mean: float | None = None
    scale: float | None = None
    quantiles: list[float] | None = None
    p_up: float | None = None
    weights: dict[str, float] | None = None


class Prediction(Struct, frozen=True, kw_only=True):
    """The forecasts of one model version at the close of the bar at `time`, for every horizon."""

    symbol: str
    interval: str
    time: int
    model: str
    version: str
    fingerprint: str
    price: float
    forecasts: list[Forecast]
    regime: str | None = None
    role: str = "champion"
    dissimilarity: float | None = None
    expired: bool = False


class Outcome(Struct, frozen=True, kw_only=True):
    """The outcome of one forecast, and its scores; `naive_pinball` is the naive model's loss at the same bar."""

    symbol: str
    interval: str
    time: int
    model: str
    version: str
    horizon: int
    target_time: int
    status: str
    realised: float | None = None
    absolute_error: float | None = None
    naive_absolute_error: float | None = None
    pinball: float | None = None
    interval_hit: bool | None = None
    direction_hit: bool | None = None
    role: str = "champion"
    naive_pinball: float | None = None


class Regime(Struct, frozen=True, kw_only=True):
    """The regime after one bar."""

    symbol: str
    interval: str
    time: int
    state: str
    posterior: dict[str, float]
    change_point: float | None = None


class Alert(Struct, frozen=True, kw_only=True):
    """A rule that matched, once. `value` is the number that its condition tested."""

    alert_id: str
    rule: str
    symbol: str
    time: int
    severity: str
    message: str
    rule_version: int = 0
    model: str | None = None
    interval: str | None = None
    horizon: int | None = None
    value: float | None = None
    suppressed: int = 0


class Gap(Struct, frozen=True, kw_only=True):
    """Missing trades of a venue: between `start` and `end` no others of the symbol are known.

    With a `reader` it is no venue's: Foretick's `reader` never got the Kafka records from `first_offset` to
    `last_offset` of a topic's partition. Their symbols are unknown: ``ALL``.
    """

    symbol: str
    venue: str
    start: int
    end: int
    reason: str
    trades: int | None = None
    after_id: str | None = None
    before_id: str | None = None
    reader: str | None = None
    topic: str | None = None
    partition: int | None = None
    first_offset: int | None = None
    last_offset: int | None = None


class Drift(Struct, frozen=True, kw_only=True):
    """A lasting change, up to the bar at `time`: a detector's statistic is beyond its limit."""

    model: str
    version: str
    kind: str
    detector: str
    time: int
    statistic: float
    limit: float
    interval: str
    symbol: str | None = None
    horizon: int | None = None
    since: int | None = None
    detail: str = ""
