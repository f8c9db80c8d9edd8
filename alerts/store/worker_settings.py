"""The settings that decide whether and where a message is sent: the worker records its own, and the command uses those.

A running worker's settings count, since it delivers. If none runs, the command's own settings are used.
"""

from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from psycopg import AsyncConnection, Connection

from settings import Settings
from storage import locks
from storage.locks import Lock

NOTE = """
INSERT INTO alert_worker (started_at, settings) VALUES (now(), %(settings)s)
ON CONFLICT (one) DO UPDATE SET (started_at, settings) = ROW(excluded.started_at, excluded.settings)
"""
NOTED = "SELECT settings::text FROM alert_worker"
NAMES = {
    "allow_private": "FORETICK_ALERTS_ALLOW_PRIVATE",
    "home": "FORETICK_HOME",
    "redis": "FORETICK_REDIS_URL",
}
RESTART = "./foretick down, then ./foretick up"


class EffectiveSettings(Struct, frozen=True):
    """Settings of both the command and the worker: whether private addresses are allowed, the folder of the secrets,
    and the Redis (host, port and database: no password comes into the database).
    """

    allow_private: bool
    home: str
    redis: str


class Difference(Struct, frozen=True):
    """A setting that differs between the command and the running worker."""

    name: str
    setting: str
    here: str
    worker: str

    def line(self) -> str:
        """Return it in words."""
        return (
            f"{self.setting} is {self.here} here and {self.worker} in the running alerts worker, whose setting counts"
        )


def of(settings: Settings) -> EffectiveSettings:
    """Return a process's own settings."""
    redis = urlsplit(settings.redis_url.get_secret_value())
    at = f"{redis.hostname or ''}:{redis.port or 6379}{redis.path or '/0'}"
    return EffectiveSettings(settings.alerts_allow_private, str(Path(settings.home).resolve()), at)


async def note(connection: AsyncConnection, settings: Settings) -> None:
    """Record the worker's settings, once it works."""
    await connection.execute(NOTE, {"settings": msgspec.json.encode(of(settings)).decode()})


def running(connection: Connection) -> EffectiveSettings | None:
    """Return the running worker's settings, None if there is none."""
    if not locks.is_locked(connection, Lock.ALERTS):
        return None
    row = connection.execute(NOTED).fetchone()
    return None if row is None else msgspec.json.decode(row[0], type=EffectiveSettings)


def differences(own: EffectiveSettings, worker: EffectiveSettings) -> list[Difference]:
    """Return the settings that differ."""
    pairs = ((name, getattr(own, name), getattr(worker, name)) for name in EffectiveSettings.__struct_fields__)
    return [Difference(name, NAMES[name], _shown(here), _shown(there)) for name, here, there in pairs if here != there]


def _shown(value: bool | str) -> str:
    return str(value).lower() if isinstance(value, bool) else value
