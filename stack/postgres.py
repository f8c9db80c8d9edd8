"""PostgreSQL with TimescaleDB: a cluster of our own, never the machine's, on the loopback interface with a password."""

import hashlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from stack.addresses import HOST
from stack.component import Component
from stack.errors import MachineError
from stack.secret import password
from stack.system import postgres_folder

NAME = "foretick"  # of the role and of the database
SERVER_USER = "postgres"  # created by the servers' package; PostgreSQL refuses to run as root
FALLBACK = Path("/var/lib/foretick")
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # its path may be longer than the kernel allows, and it is not needed
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "max_connections": "60",
    "max_locks_per_transaction": "256",  # a query over many chunks locks each
    "dynamic_shared_memory_type": "mmap",  # a container's /dev/shm may hold 64 MB only
}

VERSIONS = """
    SELECT current_setting('server_version'), default_version FROM pg_available_extensions WHERE name = 'timescaledb'
"""


def server_user() -> str | None:
    """Return the user of the server: ours, or its package's if we are root."""
    return SERVER_USER if os.geteuid() == 0 else None


def let_through(folder: Path) -> None:
    """Let the server's user pass through our folder to the cluster in it, without listing it."""
    user = server_user()
    if user is not None:
        shutil.chown(folder, group=user)
        folder.chmod(0o710)


def data_folder(home: Path) -> Path:
    """Return where the cluster lives: under `home`, or under /var/lib if the server's user cannot reach `home`.

    `home/postgres` is then a link to it. An existing cluster under `home` stays there, even if a folder above becomes
    inaccessible.
    """
    here = home / "postgres"
    if server_user() is None or (here.is_dir() and not here.is_symlink()) or enters(home.parent):
        return here
    return FALLBACK / hashlib.sha256(str(home).encode()).hexdigest()[:12] / "postgres"


def enters(folder: Path) -> bool:
    """Return whether the server's user may enter a folder (not a clone under /root)."""
    return as_server_user(["test", "-x", str(folder)]).returncode == 0


def as_server_user(command: list[str], text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command as the server's user and return its result."""
    user = server_user()
    prefix = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--"] if user else []
    return subprocess.run([*prefix, *command], input=text, capture_output=True, text=True, check=False, cwd="/")  # noqa: S603 - our own command


def create(binaries: Path, data: Path, secret: str) -> None:
    """Create the cluster, its role and its database; an incomplete cluster is created again."""
    half = data.with_name("postgres.new")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)
    user = server_user()
    if user:
        shutil.chown(half, user, user)
    # The cluster's superuser has no password and cannot log in: the role that we use owns only its database.
    options = ["-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--auth=reject"]
    must(as_server_user([str(binaries / "initdb"), "-D", str(half), *options]), "initdb")
    (half / "pg_hba.conf").write_text(f"host all {NAME} {HOST}/32 scram-sha-256\n")
    statements = f"CREATE ROLE {NAME} LOGIN CREATEDB PASSWORD '{secret}'\nCREATE DATABASE {NAME} OWNER {NAME}\n"
    must(as_server_user([str(binaries / "postgres"), "--single", "-D", str(half), "postgres"], statements), "set-up")
    half.rename(data)


def must(done: subprocess.CompletedProcess[str], what: str) -> None:
    """Raise MachineError with the last output of a failed command."""
    if done.returncode != 0 or "ERROR:" in done.stderr:
        raise MachineError(f"PostgreSQL: {what} failed: {(done.stderr or done.stdout).strip()[-500:]}")


def launch(home: Path, port: int) -> list[str]:
    """Create the cluster the first time and return the server's command."""
    data = data_folder(home)
    elsewhere = data != home / "postgres"
    data.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in (data.parent, FALLBACK) if elsewhere else (home,):
        let_through(folder)
    if elsewhere and not (home / "postgres").is_symlink():
        shutil.rmtree(data, ignore_errors=True)  # from a home that was removed together with the password
    made_by = (data / "PG_VERSION").read_text().strip() if data.exists() else None
    binaries = postgres_folder(made_by)
    if binaries is None:
        wanted = f"PostgreSQL {made_by}" if made_by else "PostgreSQL"
        raise MachineError(f"{wanted} with TimescaleDB is not installed; see `./foretick doctor`")
    if made_by is None:
        create(binaries, data, password(home / "postgres.password"))
        if elsewhere:
            (home / "postgres").symlink_to(data)
    options = [word for key, value in SETTINGS.items() for word in ("-c", f"{key}={value}")]
    return [str(binaries / "postgres"), "-D", str(data), "-p", str(port), *options]


def url(home: Path, port: int) -> str:
    """Return the URL of our database."""
    return f"postgresql://{NAME}:{password(home / 'postgres.password')}@{HOST}:{port}/{NAME}"


async def check(database_url: str) -> str:
    """Return the server's version; raises when it does not answer or has no TimescaleDB."""
    async with await psycopg.AsyncConnection.connect(database_url, connect_timeout=5) as connection:
        result = await connection.execute(VERSIONS)
        row = await result.fetchone()
    if row is None:
        raise MachineError("the PostgreSQL server has no TimescaleDB; install its timescaledb package there")
    return f"PostgreSQL {row[0]}, TimescaleDB {row[1]}"


def component(home: Path, port: int) -> Component:
    """Return PostgreSQL for the supervisor's table."""
    address = url(home, port)

    async def healthy() -> None:
        await check(address)

    # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for the last client to leave.
    return Component(
        name="postgres",
        launch=lambda: launch(home, port),
        check=healthy,
        address=f"{HOST}:{port}",
        user=server_user(),
        stop_signal=signal.SIGINT,
    )
