"""A cluster of three brokers, each also a controller: a user `admin` may do all, others what ACLs allow."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiokafka.errors import KafkaError
from pydantic import SecretStr

from settings.broker import Broker
from stack import kafka
from stack.kafka_user import free_ports

HOST, PASSWORD = "127.0.0.1", "only-here"
JAAS = (
    'org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="{0}" user_admin="{0}";'
)
CLUSTER = "Zm9yZXRpY2stdGVzdC1jbA"
NODES = (1, 2, 3)
START_S = 120.0


@dataclass
class Cluster:
    """Three brokers; `open` is where clients without a user go, `admin` as whom everything is allowed."""

    folder: Path
    ports: dict[int, tuple[int, int, int]]
    processes: dict[int, "subprocess.Popen[bytes]"]

    @property
    def open(self) -> str:
        """The bootstrap servers."""
        return ",".join(f"{HOST}:{self.ports[node][0]}" for node in NODES)

    @property
    def admin(self) -> Broker:
        """The user for whom all is allowed."""
        servers = ",".join(f"{HOST}:{self.ports[node][1]}" for node in NODES)
        return Broker(
            servers=servers, user="admin", password=SecretStr(PASSWORD), security="SASL_PLAINTEXT", mechanism="PLAIN"
        )

    def start(self, node: int) -> None:
        """Start a broker."""
        command = kafka.java("kafka.Kafka", str(self.folder / f"{node}.properties"))
        with (self.folder / f"{node}.log").open("a") as log:
            self.processes[node] = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)

    def kill(self, node: int) -> None:
        """SIGKILL a broker."""
        process = self.processes.pop(node)
        process.kill()
        process.wait()

    def properties(self, node: int) -> str:
        """Return the configuration of a broker."""
        client, admin, controller = self.ports[node]
        jaas = JAAS.format(PASSWORD)
        values = {
            "process.roles": "broker,controller",
            "node.id": node,
            "controller.quorum.voters": ",".join(f"{one}@{HOST}:{self.ports[one][2]}" for one in NODES),
            "listeners": f"OPEN://{HOST}:{client},ADMIN://{HOST}:{admin},CONTROLLER://{HOST}:{controller}",
            "advertised.listeners": f"OPEN://{HOST}:{client},ADMIN://{HOST}:{admin}",
            "listener.security.protocol.map": "OPEN:PLAINTEXT,ADMIN:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "ADMIN",
            "sasl.enabled.mechanisms": "PLAIN",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "sasl.mechanism.controller.protocol": "PLAIN",
            "listener.name.admin.plain.sasl.jaas.config": jaas,
            "listener.name.controller.plain.sasl.jaas.config": jaas,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:admin",
            "log.dirs": self.folder / f"data-{node}",
            "auto.create.topics.enable": "false",
            "default.replication.factor": 3,
            "min.insync.replicas": 2,
            "offsets.topic.replication.factor": 3,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 3,
            "transaction.state.log.min.isr": 2,
            "group.initial.rebalance.delay.ms": 0,
            "broker.session.timeout.ms": 6_000,
            "message.max.bytes": 4_194_304,
            "replica.fetch.max.bytes": 4_194_304,
        }
        return "\n".join(f"{key}={value}" for key, value in values.items()) + "\n"


@contextmanager
def three_brokers(folder: Path) -> Iterator[Cluster]:
    """Run the cluster while inside."""
    ports = free_ports(9)
    cluster = Cluster(folder, {node: tuple(ports[3 * (node - 1) : 3 * node]) for node in NODES}, {})
    environment = {key: value for key, value in os.environ.items() if not key.startswith("FORETICK_")}
    try:
        for node in NODES:
            path = folder / f"{node}.properties"
            path.write_text(cluster.properties(node))
            command = kafka.java("kafka.tools.StorageTool", "format", f"--cluster-id={CLUSTER}", "-c", str(path))
            subprocess.run(command, check=True, capture_output=True, env=environment)
            cluster.start(node)
        _wait(cluster)
        yield cluster
    finally:
        for process in cluster.processes.values():
            process.kill()
            process.wait()


def _wait(cluster: Cluster) -> None:
    from small_workers import asked

    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            result = asked(cluster.admin, lambda admin: admin.describe_cluster())
        except (KafkaError, OSError):
            result = {"brokers": []}
        if len(result["brokers"]) == len(NODES):
            return
        time.sleep(0.5)
    logs = [(cluster.folder / f"{node}.log").read_text()[-500:] for node in NODES]
    raise AssertionError(f"the cluster did not start: {logs}")
