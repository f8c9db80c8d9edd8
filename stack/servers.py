"""Our own and external servers, and their addresses."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from settings import Settings
from settings.broker import Address, Broker
from settings.origins import is_chosen
from stack import addresses, kafka, mlflow, postgres, redis
from stack.addresses import Addresses, without_password
from stack.component import Component
from stack.kafka_config import Listeners

SERVERS = ("kafka", "postgres", "redis")
"""The servers that all other components need."""
MEASURED = ("worker", "persist", "watch", "trainer", "alerts", "dashboard", "api")
"""The components that show /metrics, /health and /ready, each at a port of its own."""
SETTING = {"kafka": "kafka", "postgres": "database_url", "redis": "redis_url", "mlflow": "mlflow_uri"}
"""The setting that names an external one."""

CHECKS = {"kafka": kafka.check, "postgres": postgres.check, "redis": redis.answers, "mlflow": mlflow.check}


def is_external(name: str, settings: Settings | None = None) -> bool:
    """Return whether the environment or the settings file names an external server for a component."""
    return name in SETTING and is_chosen(SETTING[name], settings)


@dataclass(frozen=True)
class Servers:
    """The addresses chosen, and the servers as components."""

    addresses: Addresses
    broker: Broker
    components: tuple[Component, ...]


def plan(settings: Settings) -> Servers:
    """Choose a port for each server of ours (the last one again if it is free) and write the addresses."""
    home: Path = settings.home.resolve()
    last, taken = addresses.previous_ports(home), set[int]()
    port = {name: addresses.choose(name, last[name], taken) for name in addresses.USUAL}
    if is_chosen("dashboard_port", settings):
        port["dashboard"] = settings.dashboard_port
    if is_chosen("api_port", settings):
        port["api"] = settings.api_port
    shown = addresses.previous_metrics(home)
    metrics = {name: addresses.choose(name, shown.get(name), taken) for name in MEASURED}
    open_port = port["kafka"] if settings.kafka_open else None
    listeners = Listeners(open_port, port["kafka_sasl"], port["kafka_controller"])
    components = {
        "kafka": kafka.component(home, listeners),
        "postgres": postgres.component(home, port["postgres"]),
        "redis": redis.component(home, port["redis"]),
        "mlflow": mlflow.component(home, port["mlflow"]),
    }
    chosen = {
        "postgres": postgres.url(home, port["postgres"]),
        "redis": redis.url(home, port["redis"]),
        "mlflow": mlflow.url(home, port["mlflow"]),
    }
    external = {
        "postgres": settings.database_url.get_secret_value(),
        "redis": settings.redis_url.get_secret_value(),
        "mlflow": settings.mlflow_uri.get_secret_value(),
    }
    for name in (one for one in external if is_external(one, settings)):
        chosen[name] = external[name]
        components[name] = external_component(name, external[name])
    broker = kafka.broker_of(home, listeners)
    if is_external("kafka", settings):
        broker = settings.broker
        components["kafka"] = external_component("kafka", broker)
    result = Addresses(
        kafka=broker.servers,
        database_url=chosen["postgres"],
        redis_url=chosen["redis"],
        mlflow_uri=chosen["mlflow"],
        dashboard_port=port["dashboard"],
        kafka_controller_port=port["kafka_controller"],
        api_port=port["api"],
        metrics_ports=metrics,
        kafka_user=broker.user,
        kafka_password=broker.password.get_secret_value(),
        kafka_security=broker.security,
        kafka_mechanism=broker.mechanism,
        kafka_ca=str(broker.ca.resolve()) if broker.ca else None,
        kafka_open_port=None if is_external("kafka", settings) else open_port,
    )
    addresses.write(home, result)
    return Servers(result, broker, tuple(components.values()))


def external_component(name: str, address: Address) -> Component:
    """Return an external server: never started, only checked."""
    check: Callable[[Any], Awaitable[Any]] = CHECKS[name]

    async def healthy() -> None:
        await check(address)

    return Component(name=name, launch=None, check=healthy, address=without_password(str(address)))
