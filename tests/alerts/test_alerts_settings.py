"""The running worker's settings decide, whatever the command's are: nothing is accepted that then waits unseen."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alert_records import prediction
from pydantic import SecretStr
from receiver import Receiver
from stacks import Servers, databases, environment_of, kafka_environment

from alerts.rules.rule import Rule, When
from alerts.store import user_changes
from broker.confirmed_send import KafkaWriter
from settings import ROOT, Settings
from stack.prepare import prepare
from topics.catalog import PREDICTIONS

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]

DEADLINE_S = 120.0
ALLOW = "FORETICK_ALERTS_ALLOW_PRIVATE"
LINE = f"{ALLOW} is true here and false in the running alerts worker, whose setting counts"


@dataclass
class Stand:
    """A database of its own on the session's servers, and commands and workers on it, each with its own settings."""

    servers: Servers
    url: str
    home: Path

    def environment(self, **more: str) -> dict[str, str]:
        settings = Settings(home=self.home, **self.servers.as_stack())
        given = {"FORETICK_DATABASE_URL": self.url, "FORETICK_REDIS_URL": self.servers.redis_url, "COLUMNS": "200"}
        return environment_of(self.home) | kafka_environment(settings) | given | more

    def foretick(self, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "cli.main", "alerts", *arguments]
        environment = self.environment(**more)
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    def listed(self, **more: str) -> Any:
        return json.loads(self.foretick("list", "--json", **more).stdout)

    @contextmanager
    def worker(self, **more: str) -> Iterator[None]:
        """Run an alerts worker, which works when the block begins."""
        command = [sys.executable, "-m", "alerts.worker"]
        with (self.home / "worker.log").open("a") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=self.environment(**more), stdout=log, stderr=log)
        try:
            wait(lambda: self.listed()["worker"] is not None, (self.home / "worker.log").read_text)
            yield
        finally:
            process.terminate()
            process.wait(60)


def wait(done: Callable[[], bool], what: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not done():
        assert time.monotonic() < deadline, what()
        time.sleep(0.2)


@pytest.fixture
def stand(servers: Servers, tmp_path: Path) -> Iterator[Stand]:
    with databases(servers, "settings") as database:
        result = Stand(servers, database(), tmp_path)
        url = SecretStr(result.url)
        prepare(Settings(home=tmp_path, **servers.as_stack(), database_url=url, mlflow_uri=""))
        yield result


def test_what_the_worker_would_refuse_is_refused_when_it_subscribes(stand: Stand) -> None:
    with Receiver().listening() as receiver, stand.worker():
        for way in (("--webhook", receiver.url), ("--apprise", receiver.url.replace("http://", "json://"))):
            done = stand.foretick("subscribe", "desk", *way, **{ALLOW: "true"})
            assert done.returncode == 2
            assert "no public address; an alerts worker that is started with" in done.stderr
            assert done.stderr.endswith(f"{LINE}\n")
            assert "./foretick down, then ./foretick up" in done.stderr
            assert done.stderr.count("\n") == 1
            assert "secret-path" not in done.stderr
        assert [one["name"] for one in stand.listed()["subscribers"]] == ["redis"]
        assert LINE in stand.foretick("list", **{ALLOW: "true"}).stdout
        (difference,) = stand.listed(**{ALLOW: "true"})["differences"]
        assert (difference["setting"], difference["here"], difference["worker"]) == (ALLOW, "true", "false")
        assert stand.listed()["differences"] == []
        elsewhere = stand.foretick("subscribe", "desk", "--webhook", receiver.url, FORETICK_HOME="/tmp/elsewhere")  # noqa: S108 - a path that is only compared
        assert elsewhere.returncode == 2
        home = f"FORETICK_HOME is /tmp/elsewhere here and {stand.home} in the running alerts worker, "
        home += "whose setting counts: "
        assert elsewhere.stderr.startswith(f"foretick: {home}")
        assert home in stand.foretick("unsubscribe", "redis", FORETICK_HOME="/tmp/elsewhere").stderr  # noqa: S108 - a path that is only compared
        other = stand.foretick("test", "--send", "redis", FORETICK_REDIS_URL="redis://user:sesame@127.0.0.1:1/3")
        assert other.returncode == 2
        assert "FORETICK_REDIS_URL is 127.0.0.1:1/3 here and 127.0.0.1:" in other.stderr
        assert "sesame" not in other.stderr
        with psycopg.connect(stand.url) as connection:
            noted = connection.execute("SELECT settings::text FROM alert_worker").fetchall()
        assert "sesame" not in str(noted)


@pytest.mark.long
def test_what_the_worker_allows_is_accepted_and_what_waits_says_why(stand: Stand) -> None:
    with Receiver().listening() as receiver:
        with stand.worker(**{ALLOW: "true"}):
            done = stand.foretick("subscribe", "desk", "--webhook", receiver.url)
            assert done.returncode == 0, done.stderr
            assert stand.foretick("test", "--send", "desk").returncode == 0
            assert len(receiver.requests) == 1
        assert "no alerts worker runs" in stand.foretick("list").stdout
        refused = stand.foretick("subscribe", "desk", "--webhook", receiver.url)
        differs = "whose setting counts" in refused.stderr
        assert (refused.returncode, ALLOW in refused.stderr, differs) == (2, True, False)
        accepted = stand.foretick("subscribe", "desk", "--webhook", receiver.url, **{ALLOW: "true"})
        assert "no alerts worker runs to check it by its settings" in accepted.stdout
        with psycopg.connect(stand.url, autocommit=True) as connection:
            user_changes.add_rule(
                connection,
                Rule(name="settings", on="prediction", when=When("above", "mean", 0.001), symbols=("SETTINGS",)),
            )
        with stand.worker():
            asyncio.run(send(stand))
            wait(lambda: desk(stand)["refused"], lambda: desk(stand))
            assert (desk(stand)["waiting"], desk(stand)["delivered"]) == (3, 0)
            shown = stand.foretick("list").stdout
            assert "desk: 3 alerts wait since 20" in shown
            assert "127.0.0.1 is at 127.0.0.1, which is no public address; an alerts worker" in shown
            assert f"{ALLOW}=true (./foretick down" in shown
        with stand.worker(**{ALLOW: "true"}):
            wait(lambda: desk(stand)["delivered"] == 3, lambda: desk(stand))
            assert not desk(stand)["refused"]
        assert len(receiver.requests) == 4


def desk(stand: Stand) -> Any:
    (result,) = [one for one in stand.listed()["subscribers"] if one["name"] == "desk"]
    return result


async def send(stand: Stand) -> None:
    writer = KafkaWriter(stand.servers.broker)
    rows = [prediction(minute, symbol="SETTINGS") for minute in range(3)]
    await writer.send([(PREDICTIONS, "SETTINGS", rows)])
    await writer.stop()
