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
"""The key that is set to check for write access, and its lifetime."""


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
    """Write redis.conf, readable by the owner only, and return the server's command."""
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
    """Return the server's version; raises if it does not answer, or with its reason if it accepts no values.

    It may answer and still refuse values: full, read-only, or without space on its disk.
    """
    async with client(redis_url) as asked:
        result = await asked.info("server")
        try:
            await asked.set(PROBE, "1", ex=PROBE_S)
        except RedisError as error:
            raise MachineError(f"Redis {result['redis_version']} answers but accepts no values: {error}") from None
    return f"Redis {result['redis_version']}"


async def answers(redis_url: str) -> None:
    """Raise if the server does not answer; a full one is not restarted, since it would be full again."""
    async with client(redis_url) as asked:
        await asked.ping()


def client(redis_url: str) -> Redis:
    """Return a client with timeouts."""
    return Redis.from_url(redis_url, socket_timeout=5, socket_connect_timeout=5)


def component(home: Path, port: int) -> Component:
    """Return Redis for the supervisor's table."""
    address = url(home, port)

    async def healthy() -> None:
        await answers(address)

    return Component(name="redis", launch=lambda: launch(home, port), check=healthy, address=f"{HOST}:{port}")
