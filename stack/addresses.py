"""Chooses the port of each of our servers: the default, else a free one; the same again later."""

import json
import os
import random
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from settings import ADDRESSES
from settings.origins import written
from stack.disk_space import full_folder
from stack.errors import MachineError
from stack.port_reservation import reserve

HOST = "127.0.0.1"
USUAL = {
    "kafka": 9092,
    "kafka_sasl": 9094,
    "kafka_controller": 9093,
    "postgres": 5432,
    "redis": 6379,
    "mlflow": 5000,
    "dashboard": 5006,
    "api": 8010,
}
LOWEST, HIGHEST = 20_000, 32_000  # below the range from which the kernel takes ports for outgoing connections


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """All addresses, as read by `settings`; contains passwords.

    `kafka` is the stack's own; `kafka_open_port` is that of our Kafka's open listener.
    """

    kafka: str
    database_url: str
    redis_url: str
    mlflow_uri: str
    dashboard_port: int
    kafka_controller_port: int
    api_port: int
    metrics_ports: dict[str, int]
    kafka_user: str = ""
    kafka_password: str = ""
    kafka_security: str = "PLAINTEXT"
    kafka_mechanism: str = "SCRAM-SHA-512"
    kafka_ca: str | None = None
    kafka_open_port: int | None = None


def is_free(port: int) -> bool:
    """Return whether a port of the loopback interface is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose(name: str, previous: int | None, taken: set[int]) -> int:
    """Return a port for a server: the previous one, else the default, else any free one; and add it to `taken`.

    It is reserved against other supervisors from then on.
    """
    preferred = [port for port in (previous, USUAL.get(name)) if port]
    for port in (*preferred, *random.sample(range(LOWEST, HIGHEST), 1000)):
        if port not in taken and is_free(port) and reserve(port):
            taken.add(port)
            return port
    raise OSError(f"no free port between {LOWEST} and {HIGHEST} on {HOST}")


def previous_ports(home: Path) -> dict[str, int | None]:
    """Return the port that each server had in the last run."""
    last = written(home)

    def port(url: object) -> int | None:
        try:
            return urlsplit(str(url)).port
        except ValueError:
            return None

    def number(key: str) -> int | None:
        value = last.get(key)
        return value if isinstance(value, int) else None

    kafka, written_with_users = port(f"//{last.get('kafka', '')}"), "kafka_open_port" in last
    return {
        "kafka": number("kafka_open_port") if written_with_users else kafka,
        "kafka_sasl": kafka if written_with_users else None,
        "kafka_controller": number("kafka_controller_port"),
        "postgres": port(last.get("database_url", "")),
        "redis": port(last.get("redis_url", "")),
        "mlflow": port(last.get("mlflow_uri", "")),
        "dashboard": number("dashboard_port"),
        "api": number("api_port"),
    }


def previous_metrics(home: Path) -> dict[str, int]:
    """Return the metrics port of each component in the last run."""
    last = written(home).get("metrics_ports")
    known = last.items() if isinstance(last, dict) else ()
    return {name: port for name, port in known if isinstance(port, int)}


def write(home: Path, addresses: Addresses) -> None:
    """Write the addresses for `settings`, readable by the owner only. Raises MachineError if there is no space.

    Atomic: on failure the previous content is kept.
    """
    path = home / ADDRESSES
    new = path.with_suffix(".new")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(addresses), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        raise MachineError(
            f"{path} cannot be written: {error.strerror}. {full_folder(home, error)}".rstrip(". ")
        ) from error


def without_password(url: str) -> str:
    """Return a URL without its password, for output."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    host = parts.netloc.rpartition("@")[2]
    user = parts.username or ""
    return parts._replace(netloc=f"{user}@{host}" if user else host).geturl()
