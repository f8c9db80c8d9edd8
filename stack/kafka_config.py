"""The configuration of our Kafka and its listeners. The file contains passwords."""

from dataclasses import dataclass
from pathlib import Path

from settings.broker import Mechanism
from stack.addresses import HOST
from topics.catalog import MAX_MESSAGE_BYTES

USER = "foretick"
MECHANISM: Mechanism = "SCRAM-SHA-512"
"""The stack's own user, who may do everything, and the SASL mechanism."""
CONTROLLER = "controller"
"""The broker's user at its own controller."""
_MODULES = {"SCRAM-SHA-512": "scram.ScramLoginModule", "PLAIN": "plain.PlainLoginModule"}


@dataclass(frozen=True)
class Listeners:
    """The ports: `open` is without authentication (None: closed), `sasl` needs a user; `controller` is the broker's
    own."""

    open: int | None
    sasl: int
    controller: int


def server_properties(listeners: Listeners, log_dir: Path, password: str, mechanism: Mechanism = MECHANISM) -> str:
    """Return the configuration of a broker that is also its own controller and keeps one copy of everything.

    `password` is that of the stack's own user. Clients of the open listener are the user ANONYMOUS.
    """
    at = {"SASL": listeners.sasl, "CONTROLLER": listeners.controller}
    if listeners.open is not None:
        at["OPEN"] = listeners.open
    inside = f"listener.name.sasl.{mechanism.lower()}.sasl.jaas.config"
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{HOST}:{listeners.controller}",
        "listeners": ",".join(f"{name}://{HOST}:{port}" for name, port in at.items()),
        "advertised.listeners": ",".join(f"{n}://{HOST}:{port}" for n, port in at.items() if n != "CONTROLLER"),
        "listener.security.protocol.map": "OPEN:PLAINTEXT,SASL:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "SASL",
        "listener.name.sasl.sasl.enabled.mechanisms": mechanism,
        "sasl.mechanism.inter.broker.protocol": mechanism,
        inside: jaas(mechanism, USER, password),
        # The controller answers before it has loaded any user, so its only one is configured here. Only the broker
        # connects to it, once it holds the port itself.
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": jaas("PLAIN", CONTROLLER, password),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{USER};User:{CONTROLLER}",
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
        # A year: with the default week, a component that was away for one could not determine its losses.
        "offsets.retention.minutes": 525_600,
        "message.max.bytes": MAX_MESSAGE_BYTES,
        "replica.fetch.max.bytes": MAX_MESSAGE_BYTES,
        "log.retention.hours": 168,
        "log.segment.bytes": 134_217_728,
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def jaas(mechanism: Mechanism, user: str, password: str) -> str:
    """Return the JAAS configuration of a listener's users, and of the broker's own login."""
    known = f' user_{user}="{password}"' if mechanism == "PLAIN" else ""
    module = f"org.apache.kafka.common.security.{_MODULES[mechanism]}"
    return f'{module} required username="{user}" password="{password}"{known};'
