"""The stack under test: the default one, started as `up` starts it, on the machine's own disk and without proxies."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.chaos.world import QUIET, World
from bench.fuzz.build import UNIVERSE
from settings import ROOT
from stack import state

MAX_SYMBOLS = 200
"""Instead of 2,000: so the bound is met within the run, and memory may not grow behind it."""
KINDS = {
    "gap": "any",
    "prediction": "any",
    "regime": "state becomes turbulent",
    "outcome": "coverage below 80%",
    "model-event": "any",
    "drift": "any",
    "health": "any",
}
"""A rule of alerts for each kind of record, so that the alerts' worker reads all of its topics."""


class FuzzedStack(World):
    """Every component but the sample's replay and retraining. The universe is made of fuzzed symbols alone."""

    def __init__(self, names: Sequence[str], models: Path) -> None:
        fields = {"FORETICK_UNIVERSE": ",".join(UNIVERSE), "FORETICK_MAX_SYMBOLS": str(MAX_SYMBOLS)}
        super().__init__(names, models, {**QUIET, **fields}, small_disk=False)
        for proxy in self.proxies.values():
            proxy.close()
        self.proxies = {}
        self.clock = None

    def launch(self) -> None:
        """Start the supervisor."""
        with (self.home / "supervisor.log").open("a") as log:
            command = [sys.executable, "-m", "stack", *self.names]
            self._supervisor = subprocess.Popen(command, cwd=ROOT, env=self.environment(), stdout=log, stderr=log)

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.address("database_url")

    def foretick(self, *arguments: str) -> str:
        """Return what a command of ours prints. Raises AssertionError if it fails."""
        command = [sys.executable, "-m", "cli.main", *arguments]
        environment = self.environment() | {"COLUMNS": "200"}
        result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if result.returncode:
            raise AssertionError(f"{' '.join(arguments)}: {result.stderr}")
        return result.stdout

    def watch_everything(self) -> None:
        """Add the rules of alerts."""
        for kind, when in KINDS.items():
            self.foretick("alerts", "add", f"fuzz-{kind}", "--on", kind, "--when", when, "--cooldown", "1m")

    def components(self) -> dict[str, tuple[int | None, int]]:
        """Return the process and the restarts of each component."""
        current = state.read(self.home)
        return {name: (one.pid, one.restarts) for name, one in current.components.items()} if current else {}

    def memory(self) -> dict[str, float]:
        """Return the resident memory of each component of ours with its children, MiB."""
        names = ("worker", "persist", "alerts", "watch", "dashboard", "api")
        return {name: round(sum(p.memory_info().rss for p in self.processes(name)) / 2**20, 1) for name in names}
