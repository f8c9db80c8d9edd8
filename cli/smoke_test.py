"""`foretick test` where Foretick was installed: tries it in a folder of its own, as a user would, and removes it."""

import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.text import echo
from settings import ADDRESSES, places

UP_S = 1_800.0
"""The most seconds that a start may take: the first one compiles the indicators and gets Kafka's jars."""
FORECASTS = "SELECT model, count(*) FROM predictions GROUP BY model ORDER BY model"


class SmokeError(Exception):
    """What does not work, in one line."""


@dataclass(frozen=True)
class Trial:
    """An installed Foretick with an empty home."""

    home: Path

    def foretick(self, *words: str, good: tuple[int, ...] = (0,)) -> str:
        """Return what a command prints. Raises SmokeError where it does not end well."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FORETICK_")}
        own = {"FORETICK_HOME": str(self.home), "FORETICK_SAMPLE_PACE": "max", "FORETICK_SAMPLE_RUN": "false"}
        done = subprocess.run(  # noqa: S603 - our own command
            places.module("cli.main", *words),
            env=places.environment(clean | own),
            capture_output=True,
            text=True,
            check=False,
            timeout=UP_S,
        )
        if done.returncode not in good:
            lines = (done.stderr or done.stdout).strip().splitlines()
            raise SmokeError(f"foretick {' '.join(words)} ended with {done.returncode}: {' / '.join(lines[-3:])}")
        return done.stdout

    @property
    def addresses(self) -> dict[str, Any]:
        """Return where everything is, as `up` has written it down."""
        values: dict[str, Any] = json.loads((self.home / ADDRESSES).read_text())
        return values

    def doctor(self) -> str:
        """Check the machine."""
        checks = json.loads(self.foretick("doctor", "--json"))
        return f"{len(checks)} checks, {sum(check['status'] == 'warn' for check in checks)} warnings"

    def read_sample(self) -> str:
        """Read the files that come with it, without sending them."""
        files = sorted((places.DATA / "sample").glob("*.csv.gz"))
        self.foretick("replay", *map(str, files), "--dry-run")
        return f"{len(files)} files are read"

    def up(self) -> str:
        """Start everything, and wait for a forecast."""
        return self.foretick("up", "--detach", "--no-browser").strip().splitlines()[-1]

    def forecasts(self) -> str:
        """Look at the forecasts in the table."""
        import psycopg

        with psycopg.connect(self.addresses["database_url"]) as connection:
            counts = connection.execute(FORECASTS).fetchall()
        if not counts:
            raise SmokeError("the table predictions is empty")
        return ", ".join(f"{model} {count:,}" for model, count in counts)

    def pages(self) -> str:
        """Ask the dashboard and the API."""
        for name in ("dashboard_port", "api_port"):
            url = f"http://127.0.0.1:{self.addresses[name]}/health"
            try:
                with urllib.request.urlopen(url, timeout=30):
                    pass
            except OSError as error:
                raise SmokeError(f"{url} does not answer: {error}") from None
        return "dashboard and API answer"

    def down(self) -> str:
        """Stop everything."""
        self.foretick("down")
        return "all ended"


def run(fast: bool) -> bool:
    """Try it, print a line for each part, and return whether all is well; `fast` starts no server."""
    home = Path(tempfile.mkdtemp(prefix="foretick-test-"))
    trial = Trial(home)
    passed = 0
    parts: tuple[Callable[[], str], ...] = (trial.doctor, trial.read_sample)
    if not fast:
        parts = (*parts, trial.up, trial.forecasts, trial.pages, trial.down)
    try:
        for part in parts:
            began = time.monotonic()
            try:
                text = part()
            except (SmokeError, subprocess.TimeoutExpired) as error:
                echo(f"FAILED {part.__name__}: {error}")
                break
            passed += 1
            echo(f"ok {part.__name__}, {time.monotonic() - began:.0f} s: {text}")
    finally:
        if passed < len(parts) and not fast:
            trial.foretick("down", good=(0, 1, 2, 3))
        shutil.rmtree(home, ignore_errors=True)
    echo(f"{passed} passed, {int(passed < len(parts))} failed")
    return passed == len(parts)
