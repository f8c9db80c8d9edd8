"""A venue that fails in every way, and `foretick live` watching it: started, disturbed, killed, and waited for."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.live_check import Found, read
from settings import ROOT
from settings.broker import Address
from stack import state

SYMBOLS = ("BTC/USDT", "ETH/USDT", "BTC/USDC", "ETH/USDC")
ROUND: tuple[tuple[str, float, float], ...] = (
    ("drop", 1, 3),
    ("duplicate", 2, 3),
    ("reorder", 2, 3),
    ("kill", 0, 11),  # in full flow: Kafka is ahead of the saved progress
    ("half", 0, 3),
    ("busy", 2, 0),  # REST is busy while the trades missing after the drop are requested
    ("drop", 1, 4),
    ("stall", 0, 12),
    ("down", 3, 0),
    ("drop", 1, 9),
    ("forget", 1.5, 1),
    ("kill", 0, 11),  # with trades missing
)
"""Each fault: its name, how long it lasts, and how long until the next, in seconds."""


@dataclass(frozen=True)
class Exchange:
    """The local exchange, at its address."""

    url: str

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return the answer of the control."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.url}/control/{path}", data, timeout=60) as response:  # noqa: S310 - ours
            text = response.read().decode()
        return json.loads(text) if text.startswith("{") else text

    def last(self) -> dict[str, int]:
        """Return the newest trade's id of each symbol."""
        values: dict[str, int] = self.ask("state")["last"]
        return values


@contextmanager
def exchange(rate: float) -> Iterator[Exchange]:
    """Run the exchange while inside."""
    command = [sys.executable, "-m", "exchange", "--rate", str(rate)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT / "tests", env=_environment({}), stdout=pipe, text=True) as process:
        try:
            yield Exchange(process.stdout.readline().strip() if process.stdout else "")
        finally:
            process.terminate()


@dataclass(kw_only=True)
class Watcher:
    """The process of `foretick live`."""

    home: Path
    url: str
    options: Sequence[str] = ()
    told: Mapping[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None
    starts: int = 0

    def start(self, *symbols: str) -> None:
        """Start it; without symbols it goes on with those watched last."""
        self.starts += 1
        command = [*_FORETICK, "live", "binance", *symbols, "--json", "--every", "0.5", *self.options]
        with (self.home / "live.log").open("a") as log, (self.home / "live.jsonl").open("a") as out:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment(), stdout=out, stderr=log)

    def environment(self) -> dict[str, str]:
        """Return the environment of the process, and of the commands that talk to it."""
        settings = {"FORETICK_HOME": str(self.home), "FORETICK_VENUE_URL": self.url}
        return _environment(settings | self.told)

    def tell(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run another `foretick live` command beside it."""
        return subprocess.run(
            [*_FORETICK, "live", *words], cwd=ROOT, env=self.environment(), capture_output=True, text=True, check=False
        )

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Send it a signal, and wait until it is gone."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(60)
            self.process = None

    def status(self) -> dict[str, Any]:
        """Return what it told last; {} where it has not yet."""
        path = self.home / "live.jsonl"
        whole = path.read_text().splitlines()[-1:] if path.exists() else []
        try:
            values: dict[str, Any] = json.loads(whole[0]) if whole else {}
        except ValueError:
            return {}
        return values


_FORETICK = [sys.executable, "-m", "cli.main"]


def _environment(settings: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("FORETICK_")} | settings


def disturb(market: Exchange, watcher: Watcher, rounds: Sequence[tuple[str, float, float]]) -> None:
    """Let everything go wrong in turn; a kill is -9, after which a start without symbols goes on."""
    for name, seconds, pause in rounds:
        if name == "kill":
            watcher.stop(signal.SIGKILL)
            watcher.start()
        elif name == "kill Kafka":
            components = state.read(watcher.home)
            os.kill((components.components["kafka"].pid or 0) if components else 0, signal.SIGKILL)
        else:
            market.ask("fault", {"name": name, "seconds": seconds})
        time.sleep(pause)


def settled(market: Exchange, kafka: Address, patience_s: float = 120.0) -> Found:
    """Close the market, wait until the last trade of each symbol that is watched came, and return what is there."""
    market.ask("rate", {"rate": 0})
    deadline = time.monotonic() + patience_s
    while True:
        result = read(kafka)
        last = {symbol: int(ticks[-1].trade_id or 0) for symbol, ticks in result.ticks.items()}
        made = market.last()
        if last and last == {symbol: made[symbol] for symbol in last}:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"on the topic {last}, at the exchange {market.last()}")
        time.sleep(1)
