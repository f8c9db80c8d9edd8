"""Addresses of the servers and settings of the pipeline: from the environment, files, `up`, or the defaults."""

import os
from collections.abc import Callable, Mapping
from math import inf
from pathlib import Path
from re import fullmatch
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    JsonConfigSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from settings import config_file, places, secret_files
from settings.broker import Broker, Mechanism, Security
from settings.units import Unit
from settings.unknown_variables import unknown_variables
from topics.limits import LONGEST_SYMBOL, SYMBOL
from topics.markets import canonical
from topics.retention import TABLE_DAYS, TOPIC_DAYS, table_days, topic_days
from topics.units import interval_ms, is_time
from topics.value_size import BOUNDS, Bounds

ROOT = places.ROOT
ADDRESSES = "addresses.json"


class Settings(BaseSettings):
    """Settings: each is the environment variable ``FORETICK_<NAME>``, else (of a secret) the text of the file that
    ``FORETICK_<NAME>_FILE`` names, else the key ``<name>`` of the settings file, else what `up` chose, else the
    default.
    """

    model_config = SettingsConfigDict(
        env_prefix="FORETICK_", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    home: Path = Field(default=places.HOME, description="data folders, logs, model artifacts")
    config: Path | None = Field(default=None, description="the settings file; by default foretick.toml in the home")
    kafka: str = Field(default="127.0.0.1:9092", description="bootstrap servers, host:port[,host:port]")
    kafka_open: bool = Field(
        default=True, description="whether our own Kafka lets programs read everything and write data without a login"
    )
    kafka_open_port: int | None = Field(
        default=None, description="the port of the listener without a login, as `up` chose it"
    )
    kafka_user: str = Field(default="", description="the user for a Kafka that requires one")
    kafka_password: SecretStr = Field(default=SecretStr(""), description="that user's password")
    kafka_security: Security | None = Field(
        default=None, description="the security protocol; by default SASL_PLAINTEXT with a user, PLAINTEXT without"
    )
    kafka_mechanism: Mechanism = Field(default="SCRAM-SHA-512", description="that user's SASL mechanism")
    kafka_ca: Path | None = Field(
        default=None, description="a file with the CAs that signed Kafka's certificates; the system's by default"
    )
    kafka_timeout_s: Annotated[float, Unit("seconds")] = Field(
        default=120.0, gt=0, description="how long a command waits for a Kafka that does not answer"
    )
    database_url: SecretStr = Field(
        default=SecretStr("postgresql://foretick@127.0.0.1:5432/foretick"),
        description="the PostgreSQL with TimescaleDB, with its user and password",
    )
    redis_url: SecretStr = Field(
        default=SecretStr("redis://127.0.0.1:6379/0"), description="the Redis, with its user and password"
    )
    mlflow_uri: SecretStr = Field(
        default=SecretStr("http://127.0.0.1:5000"),
        description="the MLflow server that tracks and registers, with its user and password",
    )
    mlflow_page: str = Field(
        default="",
        pattern=r"^(https?://[^\s]+)?$",
        description="MLflow's address for a browser: https://mlflow.example; by default that of FORETICK_MLFLOW_URI",
    )
    dashboard_port: int = Field(
        default=5006,
        ge=0,
        le=65535,
        description="the port of the dashboard; by default `up` takes another if it is in use",
    )
    dashboard_rate: Annotated[float, Unit("pages a second")] = Field(
        default=1.0, gt=0, description="pages of the dashboard per second, on average"
    )
    dashboard_burst: Annotated[int, Unit("pages")] = Field(
        default=6, ge=1, description="pages of the dashboard at once"
    )
    dashboard_pages: Annotated[int, Unit("pages")] = Field(
        default=50, ge=1, description="pages of the dashboard that may be open"
    )
    dashboard_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s]+)?$",
        description="the dashboard's address in alerts: https://foretick.example; by default 127.0.0.1 and its port",
    )
    hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="host names of dashboard and API, besides the loopback's: foretick.example"
    )
    api_port: int = Field(
        default=8010, ge=0, le=65535, description="the port of the API; by default `up` takes another if it is in use"
    )
    api_rate: Annotated[float, Unit("requests a second")] = Field(
        default=20.0, gt=0, description="requests per second and token, on average"
    )
    api_burst: Annotated[int, Unit("requests")] = Field(
        default=100, ge=1, description="requests that a token may make at once"
    )
    api_streams: Annotated[int, Unit("streams")] = Field(
        default=20, ge=1, description="streams that a token may hold open"
    )
    api_kept_mb: Annotated[int, Unit("MiB")] = Field(
        default=16,
        ge=1,
        description="the window kept of each topic for its streams: a client further behind is disconnected",
    )
    api_cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="the sites whose pages may call the API: https://example.org; none by default"
    )
    metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="the port of a component's /metrics, /health and /ready; none: not served",
    )
    metrics_ports: dict[str, int] = Field(
        default={}, description="the metrics port of each component, as `up` chose it"
    )
    metrics_address: str = Field(default="127.0.0.1", description="the address to which that port is bound")
    traces_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s@]+)?$",
        description="the collector of traces, by OTLP/HTTP: http://127.0.0.1:4318/v1/traces; none by default",
    )
    traces_share: Annotated[float, Unit("probability")] = Field(
        default=0.01, ge=0, le=1, description="the probability that a trace is recorded of a batch of ticks"
    )
    stuck_seconds: Annotated[float, Unit("seconds")] = Field(
        default=90.0,
        ge=1,
        description="how long a reader of Kafka may make no progress although there are records, until it exits",
    )
    lag_seconds: Annotated[float, Unit("seconds")] = Field(
        default=600.0, ge=1, description="how long a reader may lag behind Kafka until `status` reports it as a fault"
    )
    restarted_at: Annotated[tuple[float, ...], Unit("seconds since 1970")] = Field(
        default=(), description="when a component was restarted; set by the supervisor"
    )
    log_format: Literal["text", "json"] = Field(default="text", description="the format of a log line")
    sample: bool = Field(default=True, description="whether `up` replays the bundled sample")
    sample_run: bool = Field(
        default=True, description="whether the trainer does a first small run with a short study on the sample"
    )
    sample_pace: str = Field(
        default="60x",
        pattern=r"^(max|[1-9][0-9]*x)$",
        description="how fast `up` replays the sample's last days: a multiple of real time, or max",
    )
    interval: str = Field(default="1m", description="the interval of the bars built from ticks")
    bars: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="further bars built from ticks: tick-500,volume-2.5,dollar-1000000,range-10"
    )
    timeframes: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="longer bars whose features are added to each bar's own: 5m,15m,1h"
    )
    features: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="the features that are published, stored and used for training; all if none is named"
    )
    models: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="the models that are trained and served: ridge,lightgbm,ensemble; three by default",
    )
    grace_ms: Annotated[int, Unit("milliseconds")] = Field(
        default=2_000, ge=0, description="how long after its end a bar waits for late ticks, in event time"
    )
    worker_name: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._-]{0,200}$",
        description="this process's name among the workers, such as its pod's: restarted with the same name, it takes "
        "its old partitions at once; none: each start is a new member",
    )
    standby_replicas: Annotated[int, Unit("copies")] = Field(
        default=1, ge=0, le=2, description="how many other workers keep a copy of each state, for a faster takeover"
    )
    universe: Annotated[dict[str, float], NoDecode] = Field(
        default={}, description="the symbols that make up the market, with weights where they differ: BTCUSDT:2,ETHUSDT"
    )
    model_expiry_days: Annotated[float, Unit("days")] = Field(
        default=45.0, gt=0, description="how long after the end of its training data a model counts as fresh"
    )
    retrain_cron: str = Field(
        default="0 3 * * 0",
        description="when to retrain, in cron's syntax, in event time, UTC; never: not at all",
    )
    retrain_on_drift: bool = Field(default=True, description="whether drift starts a training")
    retrain_cooldown_hours: Annotated[float, Unit("hours")] = Field(
        default=24.0, ge=0, description="the least time between two trainings, in event time"
    )
    retrain_days: Annotated[float, Unit("days")] = Field(
        default=180.0, gt=0, description="the history used by a retraining"
    )
    trainer_memory_mb: Annotated[int, Unit("MiB")] = Field(
        default=4_096, ge=512, description="the memory that the trainer may take"
    )
    promote: bool = Field(default=True, description="whether a challenger that wins its test is promoted")
    promote_alpha: Annotated[float, Unit("probability")] = Field(
        default=0.05,
        gt=0,
        lt=1,
        description="the probability of promoting a challenger that is no better, if its losses are not rare and large",
    )
    promote_margin: Annotated[float, Unit("share")] = Field(
        default=0.002, ge=0, lt=1, description="the mean gain over the horizons that is worth switching the champion"
    )
    promote_bars: Annotated[int, Unit("bars")] = Field(
        default=1_440, ge=1, description="the least number of bars on which a challenger is tested"
    )
    challenger_days: Annotated[float, Unit("days")] = Field(
        default=14.0, gt=0, description="how long a challenger is tested at most, in event time"
    )
    venue_url: str = Field(
        default="", description="a gateway through which `foretick live` reaches a venue's hosts: http://127.0.0.1:8443"
    )
    alerts_allow_private: bool = Field(
        default=False, description="whether alerts may go to private, loopback and link-local addresses"
    )
    alerts_retry_days: Annotated[float, Unit("days")] = Field(
        default=3.0, gt=0, description="how long the delivery of an alert is retried"
    )
    max_unpacked_mb: Annotated[int, Unit("MiB")] = Field(
        default=32, ge=4, le=1_024, description="the largest decompressed size of a batch of Kafka records"
    )
    max_symbols: Annotated[int, Unit("pairs")] = Field(
        default=2_000,
        ge=1,
        description="the most pairs of symbol and interval for which a stage of the worker keeps a state",
    )
    max_state_kb: Annotated[int, Unit("KiB")] = Field(
        default=4_000, ge=16, le=4_000, description="the state of one symbol and interval; Kafka takes 4,096"
    )
    quarantine_crashes: Annotated[int, Unit("crashes")] = Field(
        default=3,
        ge=1,
        description="how often the worker may die at the same records before they are processed one by one",
    )
    quarantine_records: Annotated[int, Unit("records")] = Field(
        default=20,
        ge=1,
        description="the records that may fail in `quarantine_minutes`: more indicate a defect, and the process exits",
    )
    quarantine_minutes: Annotated[float, Unit("minutes")] = Field(
        default=5.0, gt=0, description="the period in which failing records are counted"
    )
    topic_days: Annotated[dict[str, float | None], NoDecode, Unit("days")] = Field(
        default=dict(TOPIC_DAYS),
        description="how many days Kafka keeps the records of a topic, where others than by default: ticks:14,gaps:90; "
        "none: for ever",
    )
    table_days: Annotated[dict[str, float | None], NoDecode, Unit("days")] = Field(
        default=dict(TABLE_DAYS),
        description="how many days the database keeps the rows of a table, where others than by default: "
        "ticks:14,features:none; none: for ever",
    )
    frame_rows: Annotated[int, Unit("rows")] = Field(
        default=500, ge=1, le=5_000, description="the most rows in one frame of a backfill"
    )
    impossible_percent: Annotated[float, Unit("percent")] = Field(
        default=10.0, ge=0, le=100, description="the percentage of impossible rows above which a replay fails"
    )

    ahead_hours: Annotated[float, Unit("hours")] = Field(
        default=24.0, ge=0, le=8_760, description="how much later than the broker's clock the time of a record may be"
    )
    value_bytes: Annotated[int, Unit("bytes")] = Field(
        default=BOUNDS.bytes,
        ge=65_536,
        le=2**30,
        description="the largest decompressed size of a Kafka record",
    )
    value_rows: Annotated[int, Unit("rows")] = Field(
        default=BOUNDS.rows, ge=5_000, description="the most rows in a Kafka record"
    )
    value_series: Annotated[int, Unit("pairs")] = Field(
        default=BOUNDS.series, ge=1, description="the most pairs of symbol and interval in one Kafka record"
    )

    @property
    def broker(self) -> Broker:
        """Kafka, for `broker.clients`."""
        security = self.kafka_security or ("SASL_PLAINTEXT" if self.kafka_user else "PLAINTEXT")
        return Broker(
            servers=self.kafka,
            user=self.kafka_user,
            password=self.kafka_password,
            security=security,
            mechanism=self.kafka_mechanism,
            ca=self.kafka_ca,
        )

    @property
    def bounds(self) -> Bounds:
        """The limits of one value on a topic, and how far ahead of the broker's clock a time may be."""
        ahead = round(self.ahead_hours * 3_600_000)
        return Bounds(bytes=self.value_bytes, rows=self.value_rows, series=self.value_series, ahead_ms=ahead)

    @model_validator(mode="wrap")
    @classmethod
    def _all_known(cls, values: dict[str, Any], check: ModelWrapValidatorHandler[Self]) -> Self:
        """Check the names beside the values, so that one error has all faults."""
        faults = [fault(text) for text in unknown_variables(os.environ, secret_files.names(cls.model_fields))]
        faults += map(fault, secret_files.read(cls.model_fields, os.environ).faults)
        file = config_file.read(cls, values.get("config"), values.get("home") or cls.model_fields["home"].default)
        named = dict(file.faults())
        faults += map(fault, named.values())
        try:
            result = check({key: value for key, value in values.items() if key not in named})
        except ValidationError as error:
            if not faults:
                raise
            faults += [fault(one["msg"], one["loc"]) for one in error.errors(include_url=False, include_input=False)]
        if faults:
            raise ValidationError.from_exception_data(cls.__name__, faults, hide_input=True)
        return result

    @field_validator("interval")
    @classmethod
    def _time_interval(cls, value: str) -> str:
        return _clear(value, interval_ms)

    @field_validator("bars", mode="before")
    @classmethod
    def _other_intervals(cls, value: Any) -> Any:
        return _each(value, _not_time)

    @field_validator("features", "models", "hosts", "api_cors_origins", mode="before")
    @classmethod
    def _columns(cls, value: Any) -> Any:
        return _each(value, str)

    @field_validator("timeframes", mode="before")
    @classmethod
    def _time_intervals(cls, value: Any) -> Any:
        return _each(value, interval_ms)

    @field_validator("retrain_cron")
    @classmethod
    def _cron(cls, value: str) -> str:
        return _expression(value.strip())

    @field_validator("topic_days", mode="before")
    @classmethod
    def _topic_days(cls, value: Any) -> Any:
        return _parsed(value, topic_days)

    @field_validator("table_days", mode="before")
    @classmethod
    def _table_days(cls, value: Any) -> Any:
        return _parsed(value, table_days)

    @field_validator("universe", mode="before")
    @classmethod
    def _universe(cls, value: Any) -> Any:
        return _weights(value) if isinstance(value, str | list | Mapping) else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class names it; no .env file is read
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment first, then secrets' own files, the settings file, and the addresses that `up` chose."""
        given, default = {**env_settings(), **init_settings()}, cls.model_fields["home"].default
        secrets = InitSettingsSource(settings_cls, dict(secret_files.read(cls.model_fields, os.environ).values))
        file = config_file.read(settings_cls, given.get("config"), given.get("home") or default)
        given = {**file.settings, **given}
        written = JsonConfigSettingsSource(settings_cls, json_file=Path(str(given.get("home") or default)) / ADDRESSES)
        if "kafka" in given:  # another Kafka, which does not have our user
            written.init_kwargs = {key: value for key, value in written.init_kwargs.items() if "kafka_" not in key}
        return init_settings, env_settings, secrets, InitSettingsSource(settings_cls, file.settings), written


def _not_time(interval: str) -> None:
    if is_time(interval):
        raise ValueError(
            f"{interval!r} is an interval of time: FORETICK_INTERVAL names the one that is built from ticks"
        )


def fault(text: str, place: tuple[int | str, ...] = ()) -> InitErrorDetails:
    """Return a fault as pydantic has it; `place` is the setting, () if the text says it."""
    return InitErrorDetails(type=PydanticCustomError("fault", "{said}", {"said": text}), loc=place, input=None)


def _each(value: Any, check: Callable[[str], object]) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) and value.strip() else value or ()
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise PydanticCustomError("names", "must be a list of texts, or one text with commas", {})
    return tuple(dict.fromkeys(_clear(name.strip(), check) for name in names))


def _clear(value: str, check: Callable[[str], object]) -> str:
    """Return the value if the check passes; else its ValueError becomes the message unchanged."""
    try:
        check(value)
    except ValueError as error:
        raise PydanticCustomError("interval", "{reason}", {"reason": str(error)}) from None
    return value


def _parsed(value: Any, parse: Callable[[Any], dict[str, float | None]]) -> dict[str, float | None]:
    """Return what a text or mapping says; its ValueError becomes the message unchanged."""
    try:
        return parse(value)
    except ValueError as error:
        raise PydanticCustomError("days", "{reason}", {"reason": str(error)}) from None


def _expression(text: str) -> str:
    """Return an expression in cron's syntax unchanged, an empty text for never."""
    if text in ("", "never"):
        return ""
    from croniter import croniter  # noqa: PLC0415 - 25 ms that only who sets the schedule is to pay

    try:
        if not text.startswith("@") and len(text.split()) != 5:  # croniter also accepts seconds and years
            raise ValueError(text)
        croniter(text, 0.0).get_next()  # an expression may be well-formed and name no day: 31 February
    except ValueError:
        message = "{text} names no time in cron's syntax, such as '0 3 * * 0' (minute, hour, day, month, weekday); "
        raise PydanticCustomError(
            "cron", message + "never: for no training by schedule", {"text": repr(text)}
        ) from None
    return text


def _weights(value: str | list[Any] | Mapping[str, Any]) -> dict[str, float]:
    """Return the weight of each symbol of a universe as a user writes it: ``BTCUSDT:2,ETHUSDT``, or as TOML has it."""
    if isinstance(value, Mapping):
        pairs = [(str(name), _number(weight), f"{name} = {weight}") for name, weight in value.items()]
    else:
        parts = value.split(",") if isinstance(value, str) else [str(part) for part in value]
        pairs = [_weight(part) for part in filter(None, map(str.strip, parts))]
    values: dict[str, float] = {}
    for symbol, weight, part in pairs:
        if not 1e-9 <= weight <= 1e9:
            raise PydanticCustomError("universe", "the weight of {part} is no number above 0", {"part": part})
        name = canonical(symbol)
        if len(name) > LONGEST_SYMBOL or not fullmatch(SYMBOL, name):
            raise PydanticCustomError("universe", "{name} is no symbol, such as BTCUSDT", {"name": repr(name)})
        if name in values:
            raise PydanticCustomError("universe", "{name} is named twice", {"name": name})
        values[name] = weight
    if len(values) == 1:
        raise PydanticCustomError("universe", "a market needs two symbols: BTCUSDT,ETHUSDT", {})
    return values


def _weight(part: str) -> tuple[str, float, str]:
    """Return the symbol, its weight and the part itself.

    A symbol may contain colons too: the text after the last is its weight only if it is a number.
    """
    symbol, colon, tail = part.rpartition(":")
    weighted = bool(colon) and fullmatch(r"[-+]?[0-9.]+(e[-+]?[0-9]+)?", tail) is not None
    return (symbol, _number(tail), part) if weighted else (part, 1.0, part)


def _number(value: Any) -> float:
    """Return a weight, infinity if it is none."""
    try:
        return inf if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return inf
