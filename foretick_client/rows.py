"""The rows of the tables. Times are epoch milliseconds, UTC; returns are log returns; None is unknown.

Fields added by later server versions are ignored.
"""

from msgspec import Struct


class SymbolRow(Struct, frozen=True):
    """A symbol and interval of which bars are stored, and the times of the first and the newest."""

    symbol: str
    interval: str
    first: int
    newest: int


class BarRow(Struct, frozen=True, kw_only=True):
    """A bar, by the time of its beginning; `gap` counts the bars that are missing before it."""

    symbol: str
    interval: str
    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float | None
    trades: int | None
    buy_volume: float | None
    quote_volume: float | None
    gap: int
    buy_trades: int | None
    market_return: float | None
    market_rank: float | None
    lead_return: float | None
    suspect: str | None


class FeatureRow(Struct, frozen=True, kw_only=True):
    """The features of one bar, by their names."""

    symbol: str
    interval: str
    time: int
    close: float
    fingerprint: str
    features: dict[str, float | None]


class PredictionRow(Struct, frozen=True, kw_only=True):
    """The forecast of one model version at the close of the bar at `time` of the log return over `horizon` bars."""

    symbol: str
    interval: str
    time: int
    model: str
    version: str
    horizon: int
    role: str
    fingerprint: str
    regime: str | None
    price: float
    mean: float | None
    scale: float | None
    q05: float | None
    q10: float | None
    q25: float | None
    q50: float | None
    q75: float | None
    q90: float | None
    q95: float | None
    p_up: float | None
    dissimilarity: float | None
    expired: bool
    weights: dict[str, float] | None


class OutcomeRow(Struct, frozen=True, kw_only=True):
    """The outcome of one forecast, and its scores; `naive_pinball` is the naive model's loss at the same bar."""

    symbol: str
    interval: str
    time: int
    model: str
    version: str
    horizon: int
    role: str
    target_time: int
    status: str
    realised: float | None
    absolute_error: float | None
    naive_absolute_error: float | None
    pinball: float | None
    interval_hit: bool | None
    direction_hit: bool | None
    naive_pinball: float | None


class SkillRow(Struct, frozen=True, kw_only=True):
    """The scores of a model's champion over the window of buckets that ends at `time`."""

    symbol: str
    interval: str
    time: int
    model: str
    horizon: int
    scored: int
    coverage: float | None
    pinball_skill: float | None
    direction: float | None
    absolute_error: float | None
    pinball: float | None


class RegimeRow(Struct, frozen=True, kw_only=True):
    """The regime after one bar: the likeliest state and the probability of each."""

    symbol: str
    interval: str
    time: int
    state: str
    posterior: dict[str, float]
    change_point: float | None


class ModelRow(Struct, frozen=True, kw_only=True):
    """The versions of a model in service: its newest deployment."""

    model: str
    number: int
    action: str
    champion: str | None
    challengers: list[str]
    standby: str | None
    fingerprint: str
    time: int
    decided_by: str
    why: str
    evidence: dict[str, float] | None


class DriftRow(Struct, frozen=True, kw_only=True):
    """A lasting change, up to the bar at `time`: a detector's statistic is beyond its limit."""

    model: str
    version: str
    kind: str
    detector: str
    time: int
    statistic: float | None
    limit: float | None
    interval: str
    symbol: str | None
    horizon: int | None
    since: int | None
    detail: str


class AlertRow(Struct, frozen=True, kw_only=True):
    """A rule that matched, once; `acknowledged` is the time of its acknowledgement."""

    alert_id: str
    rule: str
    symbol: str
    time: int
    severity: str
    message: str
    rule_version: int
    model: str | None
    interval: str | None
    horizon: int | None
    value: float | None
    suppressed: int
    acknowledged: int | None
    note: str | None


class GapRow(Struct, frozen=True, kw_only=True):
    """Missing trades of a venue, or with a `reader` the Kafka records that it lost."""

    symbol: str
    venue: str
    start: int
    end: int
    reason: str
    trades: int | None
    after_id: str | None
    before_id: str | None
    reader: str | None
    topic: str | None
    partition: int | None
    first_offset: int | None
    last_offset: int | None


class Parameter(Struct, frozen=True, kw_only=True):
    """A query parameter of a table or a stream."""

    name: str
    required: bool
    type: str
    description: str
    default: str | int | float | bool | list[str] | None = None


class Entry(Struct, frozen=True, kw_only=True):
    """A table or a stream of the API."""

    name: str
    path: str
    description: str
    row: str
    formats: list[str]
    parameters: list[Parameter]


class Contents(Struct, frozen=True):
    """The tables and streams of the API."""

    title: str
    version: str
    resources: list[Entry]
    streams: list[Entry]
