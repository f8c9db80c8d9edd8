"""Checks the machine and each component, and what to do about problems."""

import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import psycopg

from learning.deployment.forged_decisions import forged
from settings import Settings
from settings.origins import label
from settings.places import CHECKOUT
from stack import conditions, kafka, mlflow, packages, postgres, redis, state, system
from stack.addresses import USUAL, is_free
from stack.check import Check
from stack.diagnosis import explain
from stack.disk_space import full_folder
from stack.schema_check import tables
from stack.servers import SETTING, is_external
from stack.state import StackState
from stack.supervisor import holder, is_locked

GIB = 2**30
DISK_GIB, MEMORY_GIB = 5.0, 3.0
SHOWN = 3
START, LOGS = "./foretick up", "./foretick logs supervisor"


def examine(settings: Settings) -> list[Check]:
    """Return all checks, in their logical order."""
    running = is_running(settings)
    return [
        python(),
        lock(),
        disk(settings.home),
        memory(),
        *installed(),
        supervisor(settings),
        *ports(running),
        *asyncio.run(servers(settings, running)),
        *components(settings),
    ]


def is_running(settings: Settings) -> bool:
    """Return whether `up` runs."""
    return is_locked(settings.home)


def python() -> Check:
    """Check the interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Check("python", "ok", f"{version} ({sys.executable})")
    advice = "remove .venv, then run ./foretick again" if CHECKOUT else "install it again for one of them"
    return Check("python", "fail", f"{version} is not 3.11 to 3.13", advice)


def lock() -> Check:
    """Check that the packages are those of the lock, with which the tests were run."""
    return made_from_lock() if CHECKOUT else like_lock()


def like_lock() -> Check:
    """Check the versions in an environment that pip, uv or pipx made."""
    differing = packages.differing()
    if not differing:
        return Check("packages", "ok", "the versions that were tested")
    shown = ", ".join(f"{name} {here} ({tested})" for name, (here, tested) in list(differing.items())[:SHOWN])
    more = f", and {len(differing) - SHOWN} more" if len(differing) > SHOWN else ""
    advice = f"if something fails, the tested versions are in {packages.FOLDER / 'default.lock'}"
    return Check("packages", "warn", f"other versions than the tested (in brackets): {shown}{more}", advice)


def made_from_lock() -> Check:
    """Check that ./foretick made the environment from the present locks."""
    text, wanted = packages.installed(), packages.digest()
    if text is not None and packages.STAMP.read_text().split()[-1] == wanted:
        return Check("packages", "ok", f"the set {text}")
    why = "made from another lock" if text is not None else "not made by ./foretick"
    return Check(
        "packages", "warn", f"the environment {sys.prefix} was {why}", "run ./foretick, which installs the lock"
    )


def disk(home: Path) -> Check:
    """Check the free space for the data folders."""
    folder = next(parent for parent in (home, *home.parents) if parent.exists())
    free = shutil.disk_usage(folder).free / GIB
    if free >= DISK_GIB:
        return Check("disk", "ok", f"{free:.1f} GiB free in {folder}")
    advice = f"free some space, or put the data elsewhere: FORETICK_HOME=FOLDER (at least {DISK_GIB:.0f} GiB)"
    return Check("disk", "warn" if free >= 1 else "fail", f"{free:.1f} GiB free in {folder}", advice)


def memory() -> Check:
    """Check the memory; Kafka's heap is 512 MiB, PostgreSQL's buffers 256 MiB, each of our processes some 300 MiB."""
    total = psutil.virtual_memory().total / GIB
    if total >= MEMORY_GIB:
        return Check("memory", "ok", f"{total:.1f} GiB")
    return Check("memory", "warn", f"{total:.1f} GiB", f"the whole stack needs {MEMORY_GIB:.0f} GiB")


def installed() -> list[Check]:
    """Check the servers' programs, and Chromium for the tests."""
    binaries = system.postgres_folder()
    checks = []
    for name, place in (("postgres", str(binaries) if binaries else None), ("redis", shutil.which("redis-server"))):
        label = f"{name} installed"
        if place:
            checks.append(Check(label, "ok", place))
        elif is_external(name):
            checks.append(Check(label, "ok", "no, and not needed: the settings name a server"))
        else:
            absent = system.missing(postgres=name == "postgres", redis=name == "redis", browser=False)
            checks.append(Check(label, "fail", f"no {', '.join(absent)}", system.how_to_install(absent)))
    if not CHECKOUT:
        return checks
    chromium = system.chromium()
    advice = f"apt-get install {system.BROWSERS[0]} (only `foretick test` needs it, and installs it when run as root)"
    checks.append(Check("chromium", "ok", chromium) if chromium else Check("chromium", "warn", "not found", advice))
    return checks


def supervisor(settings: Settings) -> Check:
    """Check the supervisor, and left-overs of a killed one."""
    current = state.read(settings.home)
    if is_locked(settings.home):
        return running_supervisor(settings.home, current if current is not None and current.running() else None)
    if current is None:
        return Check("supervisor", "warn", f"the stack was never started in {settings.home}", START)
    identities = [status.identity() for status in current.components.values()]
    left = [str(identity.pid) for identity in identities if identity and identity.alive()]
    if left:
        return Check("supervisor", "fail", f"killed; still running: {', '.join(left)}", "./foretick down")
    return Check("supervisor", "warn", "not running", START)


def running_supervisor(home: Path, current: StackState | None) -> Check:
    """Check a supervisor by its state, None if that is another's or cannot be read."""
    lack = full_folder(home)
    if current is None:
        identity = holder(home)
        who = "a supervisor" if identity is None else f"pid {identity.pid}"
        return Check("supervisor", "fail", f"{who} runs, but its state in {home} cannot be read", lack or LOGS)
    if lack:
        return Check("supervisor", "fail", f"pid {current.supervisor.pid}; its state may be old", lack)
    past = f"; {current.problem}" if current.problem else ""
    return Check("supervisor", "ok", f"pid {current.supervisor.pid}{past}")


def components(settings: Settings) -> list[Check]:
    """Diagnose each component and step that the supervisor runs; nothing if none runs."""
    current = state.read(settings.home)
    if current is None or not current.running():
        return []
    fields, asked = conditions.now(settings, current), set(SETTING)  # servers were checked for their versions above
    checks = []
    for name, status in current.components.items():
        diagnosis = explain(name, status, fields.get(name), settings.home / "logs")
        if name in asked and diagnosis.good:
            continue
        slow = name in fields and fields[name].word in ("waiting", "lagging")
        checks.append(
            Check(name, "ok" if diagnosis.good else "warn" if slow else "fail", diagnosis.detail, diagnosis.advice)
        )
    return checks


def ports(running: bool) -> list[Check]:
    """Check the usual ports, unless ours hold them; a taken one is harmless, since another is chosen."""
    if running:
        return []
    taken = [f"{name} {port}" for name, port in USUAL.items() if not is_free(port)]
    if not taken:
        return [Check("ports", "ok", "the usual ones are free")]
    return [Check("ports", "ok", f"taken, others will be chosen: {', '.join(taken)}")]


async def servers(settings: Settings, running: bool) -> list[Check]:
    """Query each required server for its version."""
    database_url = settings.database_url.get_secret_value()
    asked: dict[str, Callable[[], Awaitable[str]]] = {
        "kafka": lambda: kafka.check(settings.broker),
        "postgres": lambda: describe_database(database_url),
        "redis": lambda: redis.check(settings.redis_url.get_secret_value()),
        "mlflow": lambda: mlflow.check(settings.mlflow_uri.get_secret_value()),
    }
    checks = [await reached(name, ask) for name, ask in asked.items() if running or is_external(name, settings)]
    if any((one.name, one.status) == ("postgres", "ok") for one in checks):
        checks += [await decisions(database_url), await asyncio.to_thread(tables, database_url)]
    return checks


async def reached(name: str, ask: Callable[[], Awaitable[str]]) -> Check:
    """Return a server's version, or the error."""
    try:
        async with asyncio.timeout(15):
            return Check(name, "ok", await ask())
    except Exception as error:  # noqa: BLE001 - whatever keeps a server from answering is what is to be shown
        advice = f"check {label(SETTING[name])}" if is_external(name) else f"./foretick logs {name}"
        return Check(name, "fail", f"{type(error).__name__}: {error}", advice)


async def decisions(url: str) -> Check:
    """Check for decisions about models that the ledger did not publish."""
    try:
        forged_decisions = await asyncio.to_thread(forged, url)
    except psycopg.Error as error:
        return Check("decisions", "warn", f"cannot be read: {type(error).__name__}", "./foretick logs postgres")
    if not forged_decisions:
        return Check("decisions", "ok", "all published ones are the ledger's")
    last = forged_decisions[-1]
    detail = f"{len(forged_decisions)} refused, the last about {last.model!r}: {last.reason}"
    return Check("decisions", "fail", detail, "find out who can write to Kafka's topic models; foretick models history")


async def describe_database(url: str) -> str:
    """Return the versions, and the features of TimescaleDB's edition."""
    versions = await postgres.check(url)
    async with await psycopg.AsyncConnection.connect(url, connect_timeout=5) as connection:
        row = await (await connection.execute("SELECT current_setting('timescaledb.license', true)")).fetchone()
    edition = row[0] if row and row[0] else "unknown"
    follows = "without compression and continuous aggregates" if edition == "apache" else "with compression"
    return f"{versions}, {edition} edition: {follows}"
