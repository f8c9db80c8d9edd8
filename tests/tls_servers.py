"""Kafka, PostgreSQL and Redis that answer over TLS alone, with certificates of an authority of their own."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stack import kafka, postgres, redis
from stack.addresses import HOST, is_free
from stack.kafka_config import MECHANISM, Listeners
from stack.kafka_user import free_ports
from stack.process import command_line
from stack.secret import password, write_private

START_S, STOP_S = 60, 30
KAFKA_TLS = """
listener.name.tls.sasl.enabled.mechanisms={mechanism}
listener.name.tls.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.tls.ssl.keystore.type=PEM
listener.name.tls.ssl.keystore.location={keystore}
"""


@dataclass(frozen=True, kw_only=True)
class TlsServers:
    """The addresses host:port and the passwords, and the authorities: `ca` signed the certificates, `stranger` none."""

    kafka: str
    kafka_password: str
    postgres: str
    postgres_password: str
    redis: str
    redis_password: str
    ca: Path
    stranger: Path


def openssl(*words: str, folder: Path) -> None:
    """Run openssl in a folder."""
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def certificates(folder: Path) -> None:
    """Make two authorities, ca.pem and stranger.pem, and server.pem and server.key, signed by the first."""
    key = ("-newkey", "rsa:2048", "-nodes")
    for name in ("ca", "stranger"):
        files = ("-keyout", f"{name}.key", "-out", f"{name}.pem")
        openssl("req", "-x509", *key, "-days", "2", "-subj", f"/CN=test {name}", *files, folder=folder)
    openssl("req", *key, "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr", folder=folder)
    (folder / "names").write_text(f"subjectAltName=IP:{HOST},DNS:localhost\n")
    signed_by = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
    openssl("x509", "-req", "-in", "server.csr", *signed_by, "-out", "server.pem", folder=folder)
    (folder / "ca.pem").chmod(0o644)


def kafka_command(home: Path, port: int) -> list[str]:
    """Configure Kafka with one more listener, and return its command; the others are for itself."""
    inside, controller = free_ports(2)
    command = kafka.launch(home, Listeners(None, inside, controller))
    properties = home / "kafka" / "server.properties"
    keystore = home / "keystore.pem"
    keystore.write_text((home / "server.key").read_text() + (home / "server.pem").read_text())
    lines = []
    for line in properties.read_text().splitlines():
        name, _, value = line.partition("=")
        more = {
            "listeners": f",TLS://{HOST}:{port}",
            "advertised.listeners": f",TLS://{HOST}:{port}",
            "listener.security.protocol.map": ",TLS:SASL_SSL",
        }
        lines.append(f"{name}={value}{more.get(name, '')}")
    write_private(properties, "\n".join(lines) + KAFKA_TLS.format(mechanism=MECHANISM, keystore=keystore))
    return command


def postgres_command(home: Path, port: int) -> list[str]:
    """Configure PostgreSQL, and return its command."""
    command, data, user = postgres.launch(home, port), postgres.data_folder(home), postgres.server_user()
    (data / "pg_hba.conf").write_text(f"hostssl all {postgres.NAME} {HOST}/32 scram-sha-256\n")
    for name, target in (("server.pem", "server.crt"), ("server.key", "server.key")):
        shutil.copy(home / name, data / target)
        (data / target).chmod(0o600)
        if user:
            shutil.chown(data / target, user, user)
    return command_line([*command, "-c", "ssl=on"], user, signal.SIGINT)


def redis_command(home: Path, port: int) -> list[str]:
    """Configure Redis, and return its command."""
    tls = ("--tls-cert-file", str(home / "server.pem"), "--tls-key-file", str(home / "server.key"))
    return [*redis.launch(home, 0), "--port", "0", "--tls-port", str(port), *tls, "--tls-auth-clients", "no"]


@contextmanager
def started(command: Sequence[str], log: Path, stop_signal: signal.Signals) -> Iterator[None]:
    """Run a server."""
    with log.open("w") as file:
        process = subprocess.Popen(command, cwd="/", stdout=file, stderr=file, start_new_session=True)
    try:
        yield
    finally:
        os.kill(process.pid, stop_signal)
        process.wait(STOP_S)


def wait_for(port: int) -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + START_S
    while is_free(port):
        assert time.monotonic() < deadline, f"nobody listens at {port}"
        time.sleep(0.1)


@contextmanager
def tls_servers(home: Path) -> Iterator[TlsServers]:
    """Run the three in a folder."""
    certificates(home)
    at_kafka, at_postgres, at_redis = free_ports(3)
    with (
        started(kafka_command(home, at_kafka), home / "kafka.log", signal.SIGTERM),
        started(postgres_command(home, at_postgres), home / "postgres.log", signal.SIGINT),
        started(redis_command(home, at_redis), home / "redis.log", signal.SIGTERM),
    ):
        for port in (at_kafka, at_postgres, at_redis):
            wait_for(port)
        yield TlsServers(
            kafka=f"{HOST}:{at_kafka}",
            kafka_password=password(home / kafka.FILE),
            postgres=f"{HOST}:{at_postgres}",
            postgres_password=password(home / "postgres.password"),
            redis=f"{HOST}:{at_redis}",
            redis_password=password(home / "redis.password"),
            ca=home / "ca.pem",
            stranger=home / "stranger.pem",
        )
