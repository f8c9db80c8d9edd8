"""The query parameters of each table, with their limits. Unknown ones are refused."""

from collections import Counter
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from starlette.datastructures import QueryParams

from api.problems import ProblemError
from api.rows import Severity
from api.times import moment
from topics.limits import END_OF_TIME, LONGEST_SYMBOL, SYMBOL
from topics.markets import canonical
from topics.units import interval_ms, is_time, measure

MOST, MOST_FEATURES = 10_000, 1_000
SHOWN_BUCKETS = 168
YEAR_MS, MOST_YEARS = 31_556_952_000, 1_000


def _interval(value: str) -> str:
    try:
        measure(value)
    except ValueError as error:
        raise PydanticCustomError("interval", "{reason}", {"reason": str(error)}) from None
    return value


def _symbol(value: object) -> object:
    return canonical(value) if isinstance(value, str) else value


def _of_time(value: str) -> str:
    if not is_time(_interval(value)):
        raise PydanticCustomError("interval", "{value} bars are not cut by time: they have no skill", {"value": value})
    return value


Symbol = Annotated[
    str,
    BeforeValidator(_symbol, json_schema_input_type=str),
    Field(
        min_length=1,
        max_length=LONGEST_SYMBOL,
        pattern=SYMBOL,
        description="as foretick, ccxt or a venue spells it: BTCUSDT, BTC/USDT, BTC-USDT; BTC/USDT:USDT is a perpetual",
        examples=["BTCUSDT"],
    ),
]
Interval = Annotated[str, Field(max_length=32, examples=["1m"]), AfterValidator(_interval)]
Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
Horizon = Annotated[int, Field(ge=1, le=100_000, description="bars ahead")]
Moment = Annotated[
    int,
    BeforeValidator(moment, json_schema_input_type=str),
    Field(ge=0, lt=END_OF_TIME, examples=["2025-05-18T00:00:00Z", "1747526400000"]),
]
AnyRole = Literal["champion", "challenger", "standby", "any"]
Format = Literal["json", "arrow", "csv"]


class TableQuery(BaseModel):
    """Parameters of every table."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=1_000, ge=1, le=MOST, description="rows in one answer, at most")
    cursor: Annotated[str, Field(max_length=2_000)] | None = Field(
        default=None, description="where to continue: `next` of the previous answer"
    )
    format: Format | None = Field(default=None, description="takes precedence over the header Accept")

    def filters(self) -> dict[str, Any]:
        """Return the values of the query's conditions."""
        return self.model_dump(exclude={"limit", "cursor", "format", "order"})


class TimedQuery(TableQuery):
    """Parameters of every table with times."""

    start: Moment | None = Field(default=None, alias="from", description="the first time, ISO 8601 or epoch ms")
    end: Moment | None = Field(default=None, alias="to", description="the time before which to stop")
    order: Literal["asc", "desc"] = Field(default="asc", description="oldest first, or newest first")

    @field_validator("end")
    @classmethod
    def _not_before_start(cls, end: int | None, result: ValidationInfo) -> int | None:
        start = result.data.get("start")
        if start is not None and end is not None and end < start:
            raise PydanticCustomError("time", "lies before `from`")
        return end


class SeriesQuery(TimedQuery):
    """Of one symbol and interval."""

    symbol: Symbol
    interval: Interval = "1m"


class FeaturesQuery(SeriesQuery):
    """Of one symbol and interval, all features or those that are named."""

    limit: int = Field(default=100, ge=1, le=MOST_FEATURES, description="rows in one answer, at most")
    feature: list[Word] = Field(default=[], max_length=500, description="only these; may be repeated")


class ModelsQuery(SeriesQuery):
    """Of one symbol and interval, and one or all of models, horizons and roles."""

    model: Word | None = None
    version: Word | None = None
    horizon: Horizon | None = None
    role: AnyRole = Field(default="champion", description="the champion's forecasts are served")


class LatestQuery(TableQuery):
    """The newest, of all symbols if none is named."""

    symbol: Symbol | None = None
    interval: Interval | None = None
    model: Word | None = None
    horizon: Horizon | None = None


def once(given: QueryParams, asked: BaseModel) -> None:
    """Refuse a repeated parameter of which only the last would count. Raises ProblemError."""
    many = {name for name, value in asked if isinstance(value, list)}
    for name, times in Counter(name for name, _ in given.multi_items()).items():
        if times > 1 and name not in many:
            raise ProblemError(422, f"{name}: given {times} times; it can be given once")


class SymbolsQuery(TableQuery):
    """Every symbol."""


class ModelQuery(TableQuery):
    """Every model, or one."""

    model: Word | None = None


class SkillQuery(SeriesQuery):
    """Rolling scores: over `window` buckets of `bucket` bars each."""

    interval: Annotated[Interval, AfterValidator(_of_time)] = "1m"
    model: Word | None = None
    horizon: Horizon | None = None
    bucket: int = Field(default=60, ge=1, le=10_000, description="bars in a bucket; a row for each")
    window: int = Field(default=24, ge=1, le=1_000, description="buckets covered by a row")

    @model_validator(mode="after")
    def _within_what_the_calendar_holds(self) -> Self:
        longest = interval_ms(self.interval) * self.bucket * max(self.window, SHOWN_BUCKETS)
        if longest > MOST_YEARS * YEAR_MS:
            reason = "{bucket} bars of {interval} in a bucket are too many: the table would reach over {years} years"
            about = {"bucket": self.bucket, "interval": self.interval, "years": MOST_YEARS}
            raise PydanticCustomError("bucket", reason, about)
        return self


class DriftQuery(TimedQuery):
    """Drift of all models, or as chosen."""

    model: Word | None = None
    symbol: Symbol | None = None
    horizon: Horizon | None = None
    kind: Literal["errors", "coverage", "features", "dissimilarity", "expiry"] | None = None


class AlertsQuery(TimedQuery):
    """Alerts of all rules, or as chosen."""

    symbol: Symbol | None = None
    rule: Word | None = None
    severity: Severity | None = None
    model: Word | None = None
    acknowledged: bool | None = Field(default=None, description="false: only unacknowledged ones")


class GapsQuery(TimedQuery):
    """Gaps of all symbols and venues, or as chosen; `from` and `to` are about the beginnings."""

    symbol: Symbol | None = None
    venue: Word | None = None


class StreamQuery(BaseModel):
    """The filters of a stream; each may be repeated. Fields that a record does not have are no parameters."""

    model_config = ConfigDict(extra="forbid")

    symbol: list[Symbol] = Field(default=[], max_length=500)
    last_id: Annotated[str, Field(max_length=4_000)] | None = Field(
        default=None, description="continue after this id, like the header Last-Event-ID, which takes precedence"
    )


class RegimeStreamQuery(StreamQuery):
    """Of symbols and intervals."""

    interval: list[Interval] = Field(default=[], max_length=50)


class ModelStreamQuery(RegimeStreamQuery):
    """Of symbols, intervals, models, horizons and a role."""

    model: list[Word] = Field(default=[], max_length=100)
    horizon: list[Horizon] = Field(default=[], max_length=100)
    role: AnyRole = "champion"


class DriftStreamQuery(StreamQuery):
    """Of symbols, models and kinds."""

    model: list[Word] = Field(default=[], max_length=100)
    kind: list[Word] = Field(default=[], max_length=10)


class GapStreamQuery(StreamQuery):
    """Of symbols and venues."""

    venue: list[Word] = Field(default=[], max_length=100)


class AlertStreamQuery(StreamQuery):
    """Of symbols, rules and severities."""

    rule: list[Word] = Field(default=[], max_length=100)
    severity: list[Severity] = Field(default=[], max_length=3)
