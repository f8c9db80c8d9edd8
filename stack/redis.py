"""Redis: the newest values, on the loopback interface with a password."""

import os
import shutil
from pathlib import Path

from redis.asyncio import Redis

from stack.addresses import HOST
from stack.component import Component
from stack.errors import MachineError
from stack.secret import password


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
    """Return the server's version; raises when it does not answer."""
    async with Redis.from_url(redis_url, socket_timeout=5, socket_connect_timeout=5) as client:
        found = await client.info("server")
    return f"Redis {found['redis_version']}"


def component(home: Path, port: int) -> Component:
    """Return Redis for the supervisor's table."""
    address = url(home, port)

    async def healthy() -> None:
        await check(address)

    return Component("redis", lambda: launch(home, port), healthy, f"{HOST}:{port}")
