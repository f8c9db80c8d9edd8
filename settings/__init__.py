"""Where the servers are and how the pipeline is set: the environment, then what `up` wrote down, then defaults."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    JsonConfigSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from topics.units import interval_ms, is_time

ROOT = Path(__file__).resolve().parents[1]
ADDRESSES = "addresses.json"


class Settings(BaseSettings):
    """Settings; each is overridden by the environment variable ``FORETICK_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="FORETICK_", env_ignore_empty=True, extra="ignore")

    home: Path = Field(default=ROOT / ".foretick", description="data folders, logs, model artifacts")
    kafka: str = Field(default="127.0.0.1:9092", description="bootstrap servers, host:port[,host:port]")
    database_url: SecretStr = Field(default=SecretStr("postgresql://foretick@127.0.0.1:5432/foretick"))
    redis_url: SecretStr = Field(default=SecretStr("redis://127.0.0.1:6379/0"))
    dashboard_port: int = Field(default=5006, ge=0, le=65535)
    sample: bool = Field(default=True, description="whether `up` replays the bundled sample")
    interval: str = Field(default="1m", description="the interval of the bars built from ticks")
    bars: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="further bars built from ticks: tick-500,volume-2.5,dollar-1000000,range-10"
    )
    grace_ms: int = Field(
        default=2_000, ge=0, description="how long after its end a bar waits for late ticks, in event time"
    )
    frame_rows: int = Field(default=500, ge=1, le=5_000, description="rows in one frame of a backfill, at most")

    @field_validator("interval")
    @classmethod
    def _time_interval(cls, value: str) -> str:
        return _clear(value, interval_ms)

    @field_validator("bars", mode="before")
    @classmethod
    def _other_intervals(cls, value: Any) -> Any:
        names = value.split(",") if isinstance(value, str) else value
        return tuple(dict.fromkeys(_clear(str(name).strip(), _not_time) for name in names))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class names it; no .env file is read
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment first, then the addresses that `up` chose."""
        home = Path(init_settings().get("home") or env_settings().get("home") or cls.model_fields["home"].default)
        return init_settings, env_settings, JsonConfigSettingsSource(settings_cls, json_file=home / ADDRESSES)


def _not_time(interval: str) -> None:
    if is_time(interval):
        raise ValueError(
            f"{interval!r} is an interval of time: FORETICK_INTERVAL names the one that is built from ticks"
        )


def _clear(value: str, check: Callable[[str], object]) -> str:
    """Return the value if the check passes; else its ValueError becomes the message as it is."""
    try:
        check(value)
    except ValueError as error:
        raise PydanticCustomError("interval", "{reason}", {"reason": str(error)}) from None
    return value
