"""What `status` says: one value, built of the supervisor's state, the tables and Kafka."""

import asyncio
import time
from dataclasses import dataclass, replace

from redis.exceptions import RedisError

from settings import Settings
from stack import conditions, redis
from stack.addresses import HOST, without_password
from stack.counts import Undelivered, counts, lost, undelivered
from stack.errors import MachineError
from stack.lag import TIMEOUT_S, lag
from stack.mlflow import PASSWORD
from stack.room import lacking
from stack.servers import is_external
from stack.state import Status, read
from stack.supervisor import is_locked
from stream.condition import Condition


@dataclass(frozen=True)
class ComponentReport:
    """One component; `uptime` in seconds, None when it does not run; `since` and `until` in epoch seconds.

    `good`: it does its work, has none, or is on its way.
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


UNKNOWN = ComponentReport("unknown", None, None, None, 0, None)


@dataclass(frozen=True)
class Report:
    """The whole stack; unknown numbers are None. `mlflow_login` is where the password of our own MLflow lies."""

    running: bool
    components: dict[str, ComponentReport]
    steps: dict[str, ComponentReport]
    counts: dict[str, int | None]
    lag: dict[str, int | None]
    addresses: dict[str, str]
    undelivered: dict[str, Undelivered]
    metrics: dict[str, str]
    mlflow_login: str | None = None
    problem: str | None = None
    """Why what is shown of the components may be old, None where it is not."""
    warnings: tuple[str, ...] = ()

    def good(self) -> bool:
        """Tell whether everything runs, or is on its way."""
        everything = (*self.components.values(), *self.steps.values())
        return self.running and self.problem is None and all(component.good for component in everything)


def report(settings: Settings, names: tuple[str, ...] = ()) -> Report:
    """Return how everything is; `names` are shown as stopped when nothing ever ran."""
    state = read(settings.home)
    known = state is not None and state.running()
    running = known or is_locked(settings.home)
    problem = None
    if running and not known:
        problem = f"the supervisor runs, but its state in {settings.home} cannot be read"
        state = None
    if running and (lack := lacking(settings.home)):
        problem = f"{problem or 'what is shown of the components may be old'}: {lack}"
    told = conditions.now(settings, state)
    found = {name: of(status, running, told.get(name)) for name, status in state.components.items()} if state else {}
    steps = {name for name, status in state.components.items() if status.once} if state else set()
    for name in names:
        found.setdefault(name, UNKNOWN if running and not known else of(Status("stopped"), running))
    rows, behind, untold, gone = asyncio.run(numbers(settings))
    warnings = [f"the supervisor's state: {state.problem}"] if state is not None and state.problem else []
    if running and (refuses := asyncio.run(cache(settings))):
        warnings.append(refuses)
    warnings += [
        f"{group} never got {count:,} Kafka records of {topic}, deleted before it read them: foretick topics tail gaps"
        for (group, topic), count in gone.items()
    ]
    return Report(
        running,
        {name: component for name, component in found.items() if name not in steps},
        {name: component for name, component in found.items() if name in steps},
        rows,
        behind,
        addresses(settings),
        untold,
        {name: f"http://{HOST}:{port}/metrics" for name, port in settings.metrics_ports.items()},
        None if is_external("mlflow") else str(settings.home.resolve() / PASSWORD),
        problem,
        tuple(warnings),
    )


async def cache(settings: Settings) -> str | None:
    """Return why a Redis that answers takes nothing, None where it does; one that is away its component tells of."""
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
) -> tuple[dict[str, int | None], dict[str, int | None], dict[str, Undelivered], dict[tuple[str, str], int]]:
    """Return counts, lag, what subscribers have not got and what readers have lost, asked for at the same time."""
    url = settings.database_url.get_secret_value()
    behind = lag(settings.broker, bool(settings.universe))
    return await asyncio.gather(counts(url), behind, undelivered(url), lost(url))


def of(status: Status, running: bool, told: Condition | None = None) -> ComponentReport:
    """Return what is shown of a component; what a supervisor that is gone wrote last is not believed."""
    identity = status.identity()
    alive = running and identity is not None and identity.alive()
    uptime = round(time.time() - status.started_at, 1) if alive and status.started_at else None
    pid = status.pid if alive else None
    shown = ComponentReport(status.state, pid, status.address or None, uptime, status.restarts, status.last_error)
    if told is not None:
        return replace(shown, state=told.word, why=told.why, since=told.since, until=told.until, good=told.good())
    if running and identity is not None and not alive:
        return replace(shown, state="unknown", why="its process is gone, and the supervisor has not written it down")
    if running or status.state in ("done", "failed"):
        return replace(shown, since=status.since, good=status.good())
    return replace(shown, state="stopped")


def addresses(settings: Settings) -> dict[str, str]:
    """Return where everything is, fit to be shown."""
    return {
        "kafka": f"{HOST}:{settings.kafka_open_port}" if settings.kafka_open_port else settings.kafka,
        "database": without_password(settings.database_url.get_secret_value()),
        "redis": without_password(settings.redis_url.get_secret_value()),
        "mlflow": without_password(settings.mlflow_uri.get_secret_value()),
        "dashboard": dashboard_url(settings),
        "api": f"http://{HOST}:{settings.api_port}",
    }


def dashboard_url(settings: Settings) -> str:
    """Return where the dashboard is."""
    return f"http://{HOST}:{settings.dashboard_port}"
