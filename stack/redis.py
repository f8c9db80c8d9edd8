"""Redis: the newest values, on the loopback interface with a password."""

import os
import shutil
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from stack.addresses import HOST
from stack.component import Component
from stack.errors import MachineError
from stack.secret import password

PROBE, PROBE_S = "foretick:probe", 60
"""The key that is set to see whether values are taken, and how long it stays."""


def configuration(folder: Path, port: int, secret: str) -> str:
    """Return redis.conf."""
    return "\n".join(
        (
            f"bind {HOST}",
            f"port {port}",
            f'dir "{folder}"',
            f"requirepass {secret}",
            "daemonize no",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "",
        )
    )


def launch(home: Path, port: int) -> list[str]:
    """Write redis.conf, for the owner's eyes only, and return the server's command."""
    program = shutil.which("redis-server")
    if program is None:
        raise MachineError("redis-server is not installed; see `./foretick doctor`")
    folder = home / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "redis.conf"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(configuration(folder, port, password(home / "redis.password")))
    return [program, str(path)]


def url(home: Path, port: int) -> str:
    """Return the URL of our Redis."""
    return f"redis://default:{password(home / 'redis.password')}@{HOST}:{port}/0"


async def check(redis_url: str) -> str:
    """Return the server's version; raises when it does not answer, with its reason when it takes nothing.

    It may answer all the same and take no value: full, read-only, or without room on its disk.
    """
    async with client(redis_url) as asked:
        found = await asked.info("server")
        try:
            await asked.set(PROBE, "1", ex=PROBE_S)
        except RedisError as error:
            raise MachineError(f"Redis {found['redis_version']} answers and takes nothing: {error}") from None
    return f"Redis {found['redis_version']}"


async def answers(redis_url: str) -> None:
    """Raise when the server does not answer; one that is full is no better for being started again."""
    async with client(redis_url) as asked:
        await asked.ping()


def client(redis_url: str) -> Redis:
    """Return a client that does not wait for ever."""
    return Redis.from_url(redis_url, socket_timeout=5, socket_connect_timeout=5)


def component(home: Path, port: int) -> Component:
    """Return Redis for the supervisor's table."""
    address = url(home, port)

    async def healthy() -> None:
        await answers(address)

    return Component("redis", lambda: launch(home, port), healthy, f"{HOST}:{port}")
