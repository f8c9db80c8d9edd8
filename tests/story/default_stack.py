"""The default stack as a user has it: `foretick up --detach` in a home of its own, seen from outside."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from stacks import environment_of

from settings import ADDRESSES, ROOT

T = TypeVar("T")
POLL_S = 1.0
LOG_LINES = "15"


@dataclass(frozen=True)
class Stack:
    """A stack that runs; `environment` is what the user has set. `checkout` is of the version that runs it."""

    home: Path
    environment: Mapping[str, str]
    checkout: Path = ROOT

    def foretick(self, *words: str, typed: str = "") -> Any:
        """Run a command with --json, and return what it prints. Fails where it does not end well."""
        done = self.run(*words, "--json", typed=typed)
        assert done.returncode == 0, f"foretick {' '.join(words)}: {done.stdout} {done.stderr}"
        return json.loads(done.stdout)

    def run(self, *words: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a command on a terminal of 80 columns."""
        ours = self.checkout == ROOT
        program = [sys.executable, "-m", "cli.main"] if ours else [str(self.checkout / "foretick")]
        environment = environment_of(self.home) | {"COLUMNS": "80", **self.environment}
        if not ours:
            environment.pop("PYTHONPATH", None)  # it would import this version
        return subprocess.run(
            [*program, *words],
            cwd=self.checkout,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            input=typed,
        )

    @property
    def addresses(self) -> dict[str, Any]:
        """Return where everything is, as `up` has written it down."""
        values: dict[str, Any] = json.loads((self.home / ADDRESSES).read_text())
        return values

    def sql(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with psycopg.connect(self.addresses["database_url"], autocommit=True) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def until(self, what: str, ask: Callable[[], T], seconds: float, meanwhile: Callable[[], None] = lambda: None) -> T:
        """Wait until something is found, and return it; `meanwhile` is done each time before it is asked again.

        Fails after so many seconds, with what the components said last.
        """
        deadline = time.monotonic() + seconds
        while not (result := ask()):
            assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}\n{self.said()}"
            meanwhile()
            time.sleep(POLL_S)
        return result

    def said(self) -> str:
        """Return `status` and the last lines of each component's log."""
        names = ("watch", "trainer", "alerts", "worker")
        logs = [f"== {name}\n{self.run('logs', name, '-n', LOG_LINES).stdout}" for name in names]
        return "\n".join([self.run("status").stdout, *logs])


@contextmanager
def up(environment: Mapping[str, str]) -> Iterator[Stack]:
    """Start it as the README says, and take it down at the end with all that it stored."""
    home = Path(tempfile.mkdtemp(prefix="foretick-story-"))
    home.chmod(0o755)  # PostgreSQL runs as another user when the tests run as root
    stack = Stack(home, environment)
    try:
        began = stack.run("up", "--detach")
        assert began.returncode == 0, f"{began.stdout}{began.stderr}"
        match = re.search(
            r"forecasts are on the page \d+ s after the start, up to the bar of (2025-\S+ \S+)", began.stdout
        )
        assert match is not None, began.stdout
        newest = datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
        assert stack.sql("SELECT count(*) > 0 FROM predictions WHERE time >= %s", newest) == [(True,)]
        yield stack
    finally:
        stack.run("down")
        with suppress(FileNotFoundError):
            shutil.rmtree(home)
