"""The stack under test, seen from outside: its processes, its proxies, its tables."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import psycopg
from pydantic import SecretStr

from bench.chaos.proxy import HOST, Proxy
from bench.chaos.stack import CLOCK, LIBRARY, PORTS, TARGETS
from learning.deployment.ledger import Ledger
from settings import ADDRESSES, ROOT, Settings
from stack import state

SERVERS = ("kafka", "postgres", "redis")
START_S = 240.0
QUIET = {
    "FORETICK_SAMPLE": "false",  # the ledger is the only input
    "FORETICK_RETRAIN_CRON": "never",  # a version more would be predictions more than the undisturbed run's
    "FORETICK_RETRAIN_ON_DRIFT": "false",
    "FORETICK_PROMOTE": "false",
}
CLOCK_SOURCE = Path(__file__).with_name("clock.c")
DISK_MIB = 3_072


class World:
    """A stack behind proxies in a home of its own; on a small disk of its own where this user may mount one."""

    def __init__(
        self,
        names: Sequence[str],
        models: Path | None = None,
        fields: Mapping[str, str] = QUIET,
        small_disk: bool = True,
    ) -> None:
        """`models` are served from the beginning, `fields` is the user's settings; the stack trains where None."""
        self.names, self._told = tuple(names), dict(fields)
        self.home = Path(tempfile.mkdtemp(prefix="foretick-chaos-"))
        self.small_disk = small_disk and self._mount()
        if models is not None:
            shutil.copytree(models, self.home / "models")
        self.proxies = {name: Proxy(lambda name=name: (HOST, self.target(name))) for name in SERVERS}
        self.clock = self._clock()
        self.others: list[subprocess.Popen[bytes]] = []
        self._supervisor: subprocess.Popen[bytes] | None = None

    def _mount(self) -> bool:
        if os.geteuid() != 0:
            return False
        options = ["-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=0700", "foretick-chaos", str(self.home)]
        return subprocess.run(["mount", *options], check=False).returncode == 0  # noqa: S607 - util-linux' own

    def _clock(self) -> Path | None:
        """Return the folder of the components' clocks; None if there is no compiler to build their library."""
        compiler = shutil.which("cc")
        if compiler is None:
            return None
        folder = self.home / "clock"
        folder.mkdir()
        library = str(folder / LIBRARY)
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, str(CLOCK_SOURCE)], check=True)
        return folder

    def environment(self) -> dict[str, str]:
        """Return the environment of every process of this stack."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith("FORETICK_")}
        ports = {name: proxy.port for name, proxy in self.proxies.items()}
        fields = {"FORETICK_HOME": str(self.home), PORTS: json.dumps(ports), **self._told}
        if self.clock is not None:
            fields[CLOCK] = str(self.clock)
        return clean | fields

    def start(self) -> None:
        """Start the supervisor, and wait until every component is healthy."""
        self.launch()
        deadline = time.monotonic() + START_S
        while not self.healthy():
            if time.monotonic() > deadline or (self._supervisor and self._supervisor.poll() is not None):
                raise AssertionError(f"the stack did not start: {self.states()}; {self._log()}")
            time.sleep(0.5)

    def launch(self) -> None:
        """Start the supervisor."""
        with (self.home / "supervisor.log").open("a") as log:
            command = [sys.executable, "-m", "bench.chaos.stack", *self.names]
            self._supervisor = subprocess.Popen(command, cwd=ROOT, env=self.environment(), stdout=log, stderr=log)

    def _log(self) -> str:
        return (self.home / "supervisor.log").read_text()[-2000:]

    def logged(self) -> str:
        """Return the ends of the logs of worker and persist, for a run that fails."""
        paths = [self.home / "logs" / f"{name}.log" for name in ("worker", "persist")]
        return "\n".join(f"{path.name}: {path.read_text()[-3000:]}" for path in paths if path.exists())

    def target(self, name: str) -> int:
        """Return the port at which a server itself listens; raises OSError where that is not known yet."""
        values: dict[str, int] = json.loads((self.home / TARGETS).read_text())
        return values[name]

    def address(self, key: str) -> str:
        """Return an address as the stack's own programs have it."""
        return str(json.loads((self.home / ADDRESSES).read_text())[key])

    @property
    def database(self) -> str:
        """The database itself, not its proxy."""
        return self.address("database_url").replace(
            f":{self.proxies['postgres'].port}/", f":{self.target('postgres')}/"
        )

    @property
    def ledger(self) -> Ledger:
        """The log of decisions about models."""
        return Ledger(self.settings)

    @property
    def settings(self) -> Settings:
        """The settings of the stack's own programs, whatever this process has in its environment."""
        result = json.loads((self.home / ADDRESSES).read_text())
        return Settings(
            home=self.home,
            kafka=result["kafka"],
            kafka_user=result["kafka_user"],
            kafka_password=SecretStr(result["kafka_password"]),
            database_url=SecretStr(result["database_url"]),
            mlflow_uri=SecretStr(result["mlflow_uri"]),
        )

    def states(self) -> dict[str, str]:
        """Return how the supervisor says that each component is."""
        current = state.read(self.home)
        return {name: f"{one.state} {one.why}".strip() for name, one in current.components.items()} if current else {}

    def healthy(self) -> bool:
        """Return whether every component works, or has done its work."""
        current = state.read(self.home)
        return current is not None and all(one.ready() for one in current.components.values())

    def processes(self, name: str) -> list[psutil.Process]:
        """Return a component's processes; the supervisor's own under the name `supervisor`."""
        if name == "supervisor":
            return [psutil.Process(self._supervisor.pid)] if self._supervisor else []
        current = state.read(self.home)
        status = current.components.get(name) if current else None
        if status is None or status.pid is None or not psutil.pid_exists(status.pid):
            return []
        parent = psutil.Process(status.pid)
        return [parent, *parent.children(recursive=True)]

    def signal(self, name: str, number: int) -> bool:
        """Send a signal to a component's processes; tell whether there were any."""
        results = self.processes(name)
        for process in results:
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue
        return bool(results)

    def revive(self) -> None:
        """Start the supervisor anew where it was killed."""
        if self._supervisor is not None:
            self._supervisor.wait(60)
        self.launch()

    def newest(self) -> int:
        """Return the time of the newest bar whose predictions are stored (epoch ms), 0 if that is not known."""
        try:
            with psycopg.connect(self.database, connect_timeout=2, options="-c statement_timeout=4000") as connection:
                row = connection.execute(
                    "SELECT (extract(epoch FROM max(time)) * 1000)::int8 FROM prediction_rows"
                ).fetchone()
        except (psycopg.Error, OSError, KeyError, ValueError):
            return 0
        return int(row[0]) if row and row[0] is not None else 0

    def asked(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with psycopg.connect(self.database) as connection:
            return connection.execute(query, parameters).fetchall()

    def join(self) -> None:
        """Start one more worker beside the stack's own."""
        environment = self.environment() | {"FORETICK_METRICS_PORT": ""}
        with (self.home / "joined.log").open("a") as log:
            command = [sys.executable, "-m", "bench.chaos.crash", "worker"]
            self.others.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))

    def leave(self, number: int) -> None:
        """End the worker that joined last."""
        if self.others:
            process = self.others.pop()
            process.send_signal(number)
            process.wait(60)

    def stop(self) -> None:
        """Stop everything and remove the home."""
        while self.others:
            self.leave(signal.SIGKILL)
        if self._supervisor is not None and self._supervisor.poll() is None:
            self._supervisor.send_signal(signal.SIGTERM)
            self._supervisor.wait(120)
        for proxy in self.proxies.values():
            proxy.close()
        if self.small_disk:
            subprocess.run(["umount", "--lazy", str(self.home)], check=False)  # noqa: S607 - util-linux' own
        shutil.rmtree(self.home, ignore_errors=True)
