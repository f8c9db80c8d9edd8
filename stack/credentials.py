"""Users of our Kafka for programs: each has the same rights as programs without a login, and can be removed."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace as changed
from re import fullmatch

from aiokafka.errors import KafkaError
from pydantic import SecretStr

from settings import Settings
from settings.broker import Broker
from stack import scram
from stack.kafka_config import MECHANISM, USER
from stack.topic_lag import admin_client

NAME = r"[a-z][a-z0-9_-]{0,62}"
OURS = frozenset({USER, "controller"})
PATIENCE_S, AGAIN_S = 30.0, 0.1
"""How long to wait until the broker has applied a change recorded by Kafka's controller."""


class CredentialsError(Exception):
    """A user cannot be created or removed: one line with the reason."""


async def listed(settings: Settings) -> list[str]:
    """Return the programs' users. Raises CredentialsError."""
    try:
        async with admin_client(settings.broker) as admin:
            return [name for name in await scram.names(admin) if name not in OURS]
    except (KafkaError, OSError) as error:
        raise _away(settings, error) from error


async def made(settings: Settings, name: str, *, replace: bool = False) -> dict[str, str]:
    """Create a user, or with `replace` set another password; return a client's settings, in librdkafka's format.

    Raises CredentialsError.
    """
    _check(name)
    password = secrets.token_urlsafe(24)
    if not replace and name in await listed(settings):
        raise CredentialsError(f"there is a user {name} already: --replace gives it another password")
    try:
        async with admin_client(settings.broker) as admin:
            await scram.put(admin, name, password)
    except (KafkaError, OSError) as error:
        raise _away(settings, error) from error
    user = changed(settings.broker, user=name, password=SecretStr(password))
    await _until(lambda: _lets_in(user), f"Kafka has created the user {name}, but does not accept it yet: try it later")
    return {
        "bootstrap.servers": settings.kafka,
        "security.protocol": settings.broker.security,
        "sasl.mechanisms": MECHANISM,
        "sasl.username": name,
        "sasl.password": password,
    }


async def revoked(settings: Settings, name: str) -> None:
    """Remove a user; open connections last until they are closed. Raises CredentialsError."""
    _check(name)
    try:
        async with admin_client(settings.broker) as admin:
            there = await scram.remove(admin, name)
    except (KafkaError, OSError) as error:
        raise _away(settings, error) from error
    if not there:
        raise CredentialsError(f"there is no user {name}; foretick topics credentials lists them")

    async def gone() -> bool:
        return name not in await listed(settings)

    await _until(gone, f"Kafka has accepted the removal of {name}, but still lists it: check again later")


async def _lets_in(user: Broker) -> bool:
    try:
        async with admin_client(user):
            return True
    except KafkaError:
        return False


async def _until(true: Callable[[], Awaitable[bool]], otherwise: str) -> None:
    """Wait until the broker has applied a change."""
    deadline = time.monotonic() + PATIENCE_S
    while not await true():
        if time.monotonic() > deadline:
            raise CredentialsError(otherwise)
        await asyncio.sleep(AGAIN_S)


def _check(name: str) -> None:
    if not fullmatch(NAME, name) or name in OURS:
        raise CredentialsError(f"{name!r} is no name for a program's user: a-z, 0-9, - and _, such as desk")


def _away(settings: Settings, error: Exception) -> CredentialsError:
    text = f"Kafka at {settings.kafka} refused it ({type(error).__name__})"
    return CredentialsError(f"{text}: users exist only on the one that ./foretick up starts; is it running?")
