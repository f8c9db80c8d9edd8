"""Teaches a Kafka whose data folder was made by an earlier version, or whose password was lost, the stack's own user.

A formatted folder takes no user by Kafka's tools, and who may set one is only known from the folder. So Kafka is
started once with another way to prove to be that user, at a port and with a password of this one time.
"""

import asyncio
import hashlib
import secrets
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from signal import SIGKILL

from aiokafka.errors import KafkaError
from pydantic import SecretStr

from settings.broker import Broker
from stack import scram
from stack.addresses import HOST
from stack.errors import MachineError
from stack.kafka_config import USER, Listeners, server_properties
from stack.lag import admin_client
from stack.process import command_line, last_line
from stack.secret import write_private

NOTED = "user.sha256"
"""The file that tells which password the data folder knows: a digest, of 24 random bytes."""
PATIENCE_S, END_S = 120.0, 30.0


def noted(folder: Path, password: str) -> bool:
    """Tell whether the data folder knows our user by this password."""
    path = folder / NOTED
    return path.exists() and path.read_text().strip() == _digest(password)


def note(folder: Path, password: str) -> None:
    """Remember that it does."""
    write_private(folder / NOTED, _digest(password))


def teach(folder: Path, command: Callable[[Path], list[str]], password: str) -> None:
    """Start Kafka aside, set our user's password, and stop it again; blocks. Raises MachineError."""
    once, config = secrets.token_hex(24), folder / "once.properties"
    listeners = Listeners(None, *_free_ports())
    write_private(config, server_properties(listeners, folder / "data", once, "PLAIN"))
    broker = Broker(f"{HOST}:{listeners.sasl}", USER, SecretStr(once), "SASL_PLAINTEXT", "PLAIN")
    log = folder / "once.log"
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command_line(command(config), None, SIGKILL), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        asyncio.run(_teach(broker, process, password))
    except KafkaError as error:
        said = last_line(log) or error
        raise MachineError(f"Kafka's data folder {folder / 'data'} cannot be given its user: {said}") from error
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        config.unlink()
    note(folder, password)


async def _teach(broker: Broker, process: "subprocess.Popen[bytes]", password: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            async with admin_client(broker) as admin:
                return await scram.put(admin, USER, password)
        except KafkaError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.3)


def _free_ports() -> list[int]:
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind((HOST, 0))
        return [first.getsockname()[1], second.getsockname()[1]]


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
