"""The report of `status`: one value, from the supervisor's state, the tables and Kafka."""

import asyncio
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

from redis.exceptions import RedisError

from observability.condition import Condition
from observability.lag import ConsumerLag
from settings import Settings
from stack import conditions, redis
from stack.addresses import HOST, without_password
from stack.basic_auth import DASHBOARD_PASSWORD
from stack.disk_space import full_folder
from stack.errors import MachineError
from stack.mlflow import PASSWORD
from stack.row_counts import Undelivered, counts, lost, undelivered
from stack.servers import is_external
from stack.state import Status, read
from stack.supervisor import is_locked
from stack.topic_lag import TIMEOUT_S, late


@dataclass(frozen=True, kw_only=True)
class ComponentReport:
    """One component; `uptime` in seconds, None when it does not run; `since` and `until` in epoch seconds.

    `good`: it does its work, has none, or is starting.
    """

    state: str
    pid: int | None
    address: str | None
    uptime: float | None
    restarts: int
    last_error: str | None
    why: str = ""
    since: float | None = None
    until: float | None = None
    good: bool = False


UNKNOWN = ComponentReport(state="unknown", pid=None, address=None, uptime=None, restarts=0, last_error=None)


@dataclass(frozen=True, kw_only=True)
class Report:
    """The whole stack; unknown numbers are None. `mlflow_login` is the file with the password of our own MLflow,
    `dashboard_login` that of a dashboard that was once bound beyond loopback: only then it asks for one.

    For each topic `lag` is the slowest reader's consumer lag in Kafka records (frames of rows), `rows_behind` in rows,
    and `late` in seconds of event time.
    """

    running: bool
    components: dict[str, ComponentReport]
    steps: dict[str, ComponentReport]
    counts: dict[str, int | None]
    lag: dict[str, int | None]
    rows_behind: dict[str, int | None]
    late: dict[str, float | None]
    addresses: dict[str, str]
    undelivered: dict[str, Undelivered]
    metrics: dict[str, str]
    mlflow_login: str | None = None
    dashboard_login: str | None = None
    problem: str | None = None
    """Why the components' states may be out of date, None if they are not."""
    warnings: tuple[str, ...] = ()

    def good(self) -> bool:
        """Return whether everything runs, or is starting."""
        everything = (*self.components.values(), *self.steps.values())
        return self.running and self.problem is None and all(component.good for component in everything)

    def behind(self, topic: str) -> ConsumerLag:
        """Return the consumer lag of a topic's slowest reader."""
        return ConsumerLag(self.lag[topic], self.rows_behind[topic], self.late[topic])

    def document(self) -> dict[str, Any]:
        """Return all of it as plain values, times in epoch ms."""
        values = asdict(self)
        for component in (*values["components"].values(), *values["steps"].values()):
            for name in ("since", "until"):
                component[name] = None if component[name] is None else round(1_000 * component[name])
        return values


def report(settings: Settings, names: tuple[str, ...] = ()) -> Report:
    """Return the whole status; `names` are shown as stopped if nothing ever ran."""
    state = read(settings.home)
    known = state is not None and state.running()
    running = known or is_locked(settings.home)
    login = settings.home.resolve() / DASHBOARD_PASSWORD
    problem = None
    if running and not known:
        problem = f"the supervisor runs, but its state in {settings.home} cannot be read"
        state = None
    if running and (lack := full_folder(settings.home)):
        problem = f"{problem or 'the states of the components may be out of date'}: {lack}"
    fields = conditions.now(settings, state)
    values = {name: of(status, running, fields.get(name)) for name, status in state.components.items()} if state else {}
    steps = {name for name, status in state.components.items() if status.once} if state else set()
    for name in names:
        values.setdefault(name, UNKNOWN if running and not known else of(Status(state="stopped"), running))
    rows, behind, untold, gone = asyncio.run(numbers(settings))
    warnings = [f"the supervisor's state: {state.problem}"] if state is not None and state.problem else []
    if running and (refuses := asyncio.run(cache(settings))):
        warnings.append(refuses)
    warnings += [
        f"{group} lost {count:,} Kafka records of {topic}, deleted before it read them: foretick topics tail gaps"
        for (group, topic), count in gone.items()
    ]
    return Report(
        running=running,
        components={name: component for name, component in values.items() if name not in steps},
        steps={name: component for name, component in values.items() if name in steps},
        counts=rows,
        lag={topic: one.records for topic, one in behind.items()},
        rows_behind={topic: one.rows for topic, one in behind.items()},
        late={topic: one.seconds for topic, one in behind.items()},
        addresses=addresses(settings),
        undelivered=untold,
        metrics={name: f"http://{HOST}:{port}/metrics" for name, port in settings.metrics_ports.items()},
        mlflow_login=None if is_external("mlflow", settings) else str(settings.home.resolve() / PASSWORD),
        dashboard_login=str(login) if login.exists() else None,
        problem=problem,
        warnings=tuple(warnings),
    )


async def cache(settings: Settings) -> str | None:
    """Return why a Redis that answers accepts no values, None if it does; an absent one is reported by its
    component."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await redis.check(settings.redis_url.get_secret_value())
    except MachineError as error:
        return str(error)
    except (RedisError, OSError):
        return None
    return None


async def numbers(
    settings: Settings,
) -> tuple[dict[str, int | None], dict[str, ConsumerLag], dict[str, Undelivered], dict[tuple[str, str], int]]:
    """Return counts, lag, undelivered alerts and lost records, queried concurrently."""
    url = settings.database_url.get_secret_value()
    behind = late(settings.broker, bool(settings.universe))
    return await asyncio.gather(counts(url), behind, undelivered(url), lost(url))


def of(status: Status, running: bool, condition: Condition | None = None) -> ComponentReport:
    """Return a component's entry; the state of a supervisor that has ended is not used."""
    identity = status.identity()
    alive = running and identity is not None and identity.alive()
    uptime = round(time.time() - status.started_at, 1) if alive and status.started_at else None
    pid = status.pid if alive else None
    shown = ComponentReport(
        state=status.state,
        pid=pid,
        address=status.address or None,
        uptime=uptime,
        restarts=status.restarts,
        last_error=status.last_error,
    )
    if condition is not None:
        return replace(
            shown,
            state=condition.word,
            why=condition.why,
            since=condition.since,
            until=condition.until,
            good=condition.good(),
        )
    if running and identity is not None and not alive:
        return replace(shown, state="unknown", why="its process is gone, and the supervisor has not recorded it")
    if running or status.state in ("done", "failed"):
        return replace(shown, since=status.since, good=status.good())
    return replace(shown, state="stopped")


def addresses(settings: Settings) -> dict[str, str]:
    """Return all addresses, without passwords."""
    return {
        "kafka": f"{HOST}:{settings.kafka_open_port}" if settings.kafka_open_port else settings.kafka,
        "database": without_password(settings.database_url.get_secret_value()),
        "redis": without_password(settings.redis_url.get_secret_value()),
        "mlflow": without_password(settings.mlflow_uri.get_secret_value()),
        "dashboard": dashboard_url(settings),
        "api": f"http://{HOST}:{settings.api_port}",
    }


def dashboard_url(settings: Settings) -> str:
    """Return the dashboard's address."""
    return f"http://{HOST}:{settings.dashboard_port}"
