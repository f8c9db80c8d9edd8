"""Adds the stack's own user to a Kafka data folder of an earlier version, or one whose password was lost.

Kafka's tools cannot add a user to a formatted folder, and only users in the folder may do so. So Kafka is started once
with another authentication for that user, with a temporary port and a one-time password.
"""

import asyncio
import hashlib
import secrets
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from signal import SIGKILL

from aiokafka.errors import KafkaError
from pydantic import SecretStr

from settings.broker import Broker
from stack import scram
from stack.addresses import HOST
from stack.errors import MachineError
from stack.kafka_config import USER, Listeners, server_properties
from stack.process import command_line, last_line
from stack.secret import write_private
from stack.topic_lag import admin_client

NOTED = "user.sha256"
"""The file with the digest of the data folder's password (24 random bytes)."""
PATIENCE_S, END_S = 120.0, 30.0


def noted(folder: Path, password: str) -> bool:
    """Return whether the data folder has our user with this password."""
    path = folder / NOTED
    return path.exists() and path.read_text().strip() == _digest(password)


def note(folder: Path, password: str) -> None:
    """Record that it does."""
    write_private(folder / NOTED, _digest(password))


def set_password_offline(folder: Path, command: Callable[[Path], list[str]], password: str) -> None:
    """Start Kafka separately, set our user's password, and stop it again; blocks. Raises MachineError."""
    once, config = secrets.token_hex(24), folder / "once.properties"
    listeners = Listeners(None, *free_ports(2))
    write_private(config, server_properties(listeners, folder / "data", once, "PLAIN"))
    broker = Broker(
        servers=f"{HOST}:{listeners.sasl}",
        user=USER,
        password=SecretStr(once),
        security="SASL_PLAINTEXT",
        mechanism="PLAIN",
    )
    log = folder / "once.log"
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command_line(command(config), None, SIGKILL), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        asyncio.run(_set_password(broker, process, password))
    except KafkaError as error:
        reply = last_line(log) or error
        raise MachineError(f"Kafka's data folder {folder / 'data'} cannot be given its user: {reply}") from error
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        config.unlink()
    note(folder, password)


async def _set_password(broker: Broker, process: "subprocess.Popen[bytes]", password: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            async with admin_client(broker) as admin:
                return await scram.put(admin, USER, password)
        except KafkaError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.3)


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens at."""
    with ExitStack() as opened:
        sockets = [opened.enter_context(socket.create_server((HOST, 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
