"""The rows of the API's tables: names, types and descriptions of the columns.

Times are epoch milliseconds, UTC, as on the topics. Unknown is null.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from topics.records import Role

TIME = "time"
"""Marks a column of times: Arrow has a type for them."""
Time = Annotated[int, TIME, Field(ge=0, description="epoch milliseconds, UTC")]
Share = Annotated[float, Field(ge=0, le=1)]
Severity = Literal["info", "warning", "critical"]
FIRST = 1_747_526_400_000


def example(**values: Any) -> ConfigDict:
    """Return the configuration of a model whose documentation shows these values."""
    return ConfigDict(json_schema_extra={"examples": [values]})


class SymbolRow(BaseModel):
    """A symbol and interval of which bars are stored, and the times of the first and the newest."""

    symbol: str
    interval: str
    first: Time
    newest: Time

    model_config = example(symbol="BTCUSDT", interval="1m", first=FIRST, newest=FIRST + 86_400_000)


class BarRow(BaseModel):
    """A bar, by the time of its beginning."""

    symbol: str
    interval: str
    time: Time
    open: float
    high: float
    low: float
    close: float
    volume: float | None = Field(description="in the base currency")
    trades: int | None
    buy_volume: float | None = Field(description="bought by takers")
    quote_volume: float | None
    gap: int = Field(description="the bars that are missing before this one")
    buy_trades: int | None = Field(description="the trades in which takers bought")
    market_return: float | None = Field(description="the universe's log return since the symbol's previous bar")
    market_rank: Share | None = Field(description="the symbol's rank in the universe by its return")
    lead_return: float | None = Field(description="the leader's log return since the symbol's previous bar")
    suspect: str | None = Field(description="which price is suspect, and why")

    model_config = example(
        **{"symbol": "BTCUSDT", "interval": "1m", "time": FIRST, "open": 103_240.0, "high": 103_260.5},
        **{"low": 103_231.0, "close": 103_250.5, "volume": 4.21, "trades": 311, "buy_volume": 2.4},
        **{"quote_volume": 434_660.2, "gap": 0, "buy_trades": 170, "market_return": 0.0002, "market_rank": 0.75},
        **{"lead_return": 0.0001, "suspect": None},
    )


class FeatureRow(BaseModel):
    """The features of one bar by their names, which docs/FEATURES.md explains, in the order of their definition."""

    symbol: str
    interval: str
    time: Time
    close: float
    fingerprint: str = Field(description="the definition of the features")
    features: dict[str, float | None] = Field(description="one without a known name has its index, from 1")

    model_config = example(
        **{"symbol": "BTCUSDT", "interval": "1m", "time": FIRST, "close": 103_250.5, "fingerprint": "8c1d"},
        features={"rsi_14": 54.2, "ema_12": 103_244.9},
    )


class PredictionRow(BaseModel):
    """The forecast of one model version at the close of the bar at `time` of the log return over `horizon` bars."""

    symbol: str
    interval: str
    time: Time
    model: str
    version: str
    horizon: int = Field(description="bars ahead")
    role: Role
    fingerprint: str = Field(description="the definition of the features that it was computed from")
    regime: str | None
    price: float = Field(description="the close of the bar, to which the log returns are relative")
    mean: float | None
    scale: float | None
    q05: float | None
    q10: float | None
    q25: float | None
    q50: float | None
    q75: float | None
    q90: float | None
    q95: float | None
    p_up: float | None = Field(description="the probability that the price rises")
    dissimilarity: float | None = Field(
        description="above 1, the bar is farther from the training data than that data is from itself"
    )
    expired: bool = Field(description="whether the model's training was too old")
    weights: dict[str, float] | None = Field(description="the weight of each model in a combination")

    model_config = example(
        **{"symbol": "BTCUSDT", "interval": "1m", "time": FIRST, "model": "ridge", "version": "3f2a9c1b7d04"},
        **{"horizon": 5, "role": "champion", "fingerprint": "8c1d", "regime": "calm", "price": 103_250.5},
        **{"mean": 0.00004, "scale": 0.0011, "q05": -0.0018, "q10": -0.0013, "q25": -0.0006, "q50": 0.0},
        **{"q75": 0.0007, "q90": 0.0014, "q95": 0.0019, "p_up": 0.52},
        **{"dissimilarity": 0.4, "expired": False, "weights": None},
    )


class OutcomeRow(BaseModel):
    """The outcome of one forecast, and its scores; returns and errors are log returns."""

    symbol: str
    interval: str
    time: Time
    model: str
    version: str
    horizon: int = Field(description="bars ahead")
    role: Role
    target_time: Time
    status: Literal["scored", "stale", "unscored"]
    realised: float | None
    absolute_error: float | None
    naive_absolute_error: float | None = Field(description="of a forecast of no change")
    pinball: float | None = Field(description="the mean over the quantiles")
    interval_hit: bool | None = Field(description="whether the price was in the 90 % interval")
    direction_hit: bool | None = Field(description="null if the price did not move")
    naive_pinball: float | None = Field(description="the naive model's at the same bar")

    model_config = example(
        **{"symbol": "BTCUSDT", "interval": "1m", "time": FIRST, "model": "ridge", "version": "3f2a9c1b7d04"},
        **{"horizon": 5, "role": "champion", "target_time": FIRST + 300_000, "status": "scored", "realised": 0.0003},
        **{"absolute_error": 0.00026, "naive_absolute_error": 0.0003, "pinball": 0.0001},
        **{"interval_hit": True, "direction_hit": True, "naive_pinball": 0.00011},
    )


class SkillRow(BaseModel):
    """The scores of a model's champion over the window of buckets that ends at `time`.

    `time` is the end of the last bucket of the window, which is in the future while that bucket fills.
    """

    symbol: str
    interval: str
    time: Time
    model: str
    horizon: int = Field(description="bars ahead")
    scored: int = Field(description="the outcomes in the window")
    coverage: Share | None = Field(description="the share in the 90 % interval")
    pinball_skill: float | None = Field(description="1 - pinball / pinball of the naive model at the very same bars")
    direction: Share | None = Field(description="the share of right directions where the price moved")
    absolute_error: float | None
    pinball: float | None

    model_config = example(
        **{"symbol": "BTCUSDT", "interval": "1m", "time": FIRST + 3_600_000, "model": "ridge", "horizon": 5},
        **{"scored": 1_440, "coverage": 0.897, "pinball_skill": 0.031, "direction": 0.508},
        **{"absolute_error": 0.0007, "pinball": 0.0003},
    )


class RegimeRow(BaseModel):
    """The regime after one bar: the likeliest state and the probability of each."""

    symbol: str
    interval: str
    time: Time
    state: str
    posterior: dict[str, float]
    change_point: float | None = Field(description="the probability that the volatility changed within the hour")

    model_config = example(
        **{"symbol": "BTCUSDT", "interval": "1m", "time": FIRST, "state": "calm"},
        **{"posterior": {"calm": 0.8, "turbulent": 0.2}, "change_point": 0.03},
    )


class ModelRow(BaseModel):
    """The versions of a model in service: its newest deployment. `champion` null: the model has left service."""

    model: str
    number: int = Field(description="of the decision, counted from 1 for each model")
    action: str
    champion: str | None
    challengers: list[str]
    standby: str | None = Field(description="the previous champion, kept running for a rollback")
    fingerprint: str
    time: Time
    decided_by: str
    why: str
    evidence: dict[str, float] | None

    model_config = example(
        **{"model": "ridge", "number": 2, "action": "promote", "champion": "3f2a9c1b7d04", "challengers": []},
        **{"standby": "1b0c55aa90de", "fingerprint": "8c1d", "time": FIRST, "decided_by": "sequential test"},
        **{"why": "it won", "evidence": {"wealth": 21.5}},
    )


class DriftRow(BaseModel):
    """A lasting change, up to the bar at `time`: a detector's statistic is beyond its limit."""

    model: str
    version: str
    kind: str
    detector: str
    time: Time
    statistic: float | None
    limit: float | None
    interval: str
    symbol: str | None
    horizon: int | None
    since: Time | None
    detail: str

    model_config = example(
        **{"model": "ridge", "version": "3f2a9c1b7d04", "kind": "coverage", "detector": "binomial", "time": FIRST},
        **{"statistic": 4.1, "limit": 3.0, "interval": "1m", "symbol": "BTCUSDT", "horizon": 5},
        **{"since": FIRST - 3_600_000, "detail": "81 % of 1440 in the 90 % interval"},
    )


class AlertRow(BaseModel):
    """A rule that matched, once; and its acknowledgement."""

    alert_id: str
    rule: str
    symbol: str = Field(description="ALL, or a component's name in capitals, if the rule is about no symbol")
    time: Time
    severity: Severity
    message: str
    rule_version: int
    model: str | None
    interval: str | None
    horizon: int | None = Field(description="bars ahead")
    value: float | None = Field(description="the number tested by the rule's condition")
    suppressed: int = Field(description="matches that were not sent, since the previous alert: cooldown, quiet hours")
    acknowledged: Time | None = Field(description="when; null if not yet")
    note: str | None = Field(description="the note of the acknowledgement, null if there is none")

    model_config = example(
        **{"alert_id": "up-5f0c", "rule": "up", "symbol": "BTCUSDT", "time": FIRST, "severity": "warning"},
        **{"message": "BTCUSDT: p_up 0.81 over 5 bars is above 0.8", "rule_version": 1, "model": "ridge"},
        **{
            "interval": "1m",
            "horizon": 5,
            "value": 0.81,
            "suppressed": 0,
            "acknowledged": FIRST + 60_000,
            "note": "seen",
        },
    )


class GapRow(BaseModel):
    """Missing trades of a venue: between `start` and `end` no others of the symbol are known.

    With a `reader` it is a gap of that reader, which lost Kafka records that were deleted before.
    """

    symbol: str = Field(description="ALL if a reader lost Kafka records, whose symbols are unknown")
    venue: str = Field(description="the venue; for records lost by a reader, their topic and offsets in Kafka")
    start: Time
    end: Time
    reason: str
    trades: int | None = Field(description="how many are missing, if the venue's ids are consecutive")
    after_id: str | None = Field(description="the venue's id of the last trade before")
    before_id: str | None = Field(description="the venue's id of the first trade after")
    reader: str | None = Field(description="the Kafka consumer group that lost records; null for a venue's gap")
    topic: str | None
    partition: int | None
    first_offset: int | None = Field(description="of the first record that the reader never got")
    last_offset: int | None = Field(description="of the last record that the reader never got")

    model_config = example(
        **{"symbol": "BTCUSDT", "venue": "binance", "start": FIRST, "end": FIRST + 2_500},
        **{"reason": "the venue gives no more", "trades": 7, "after_id": "41", "before_id": "49"},
        **dict.fromkeys(("reader", "topic", "partition", "first_offset", "last_offset")),
    )
