"""What a record, a log or an error says is shown by every command, and does nothing to the terminal."""

import asyncio
import json
import logging
import os
import re
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from rich.console import Console
from rich.table import Table
from stacks import Servers, databases, running
from typer.testing import CliRunner

from broker import clients
from broker.admin import create_topics
from cli.main import app
from cli.text import Terminal
from observability.logs import TEXT, Lines
from settings import ADDRESSES, ROOT
from settings.broker import Broker
from settings.text import escaped
from stack import state
from stack.process import Identity
from stack.state import StackState, Status
from topics import codec
from topics.catalog import ALERTS, DEAD_LETTERS
from topics.records import Alert, DeadLetter

HOSTILE = "\x1b]0;owned\x07\x1b[31m\x9b2J\x85\u202eTCB[bold]:smile:[/bold]\u2028\r\nforged"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def insert(connection: psycopg.Connection[Any], table: str, **known: Any) -> None:
    """Add a row with the hostile text in every text column that is not given."""
    query = (
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s AND is_identity = 'NO' "
        "AND table_schema = 'public'"
    )
    values: dict[str, Any] = {}
    for name, kind in connection.execute(query, [table]).fetchall():
        texts = {"text": HOSTILE, "ARRAY": [HOSTILE], "jsonb": json.dumps({"detail": HOSTILE}), "boolean": True}
        values[name] = texts.get(kind, "2025-05-18T00:00Z" if kind.startswith("timestamp") else 1)
    values |= known
    columns, marks = map(sql.Identifier, values), [sql.Placeholder()] * len(values)
    made = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table), sql.SQL(", ").join(columns), sql.SQL(", ").join(marks)
    )
    connection.execute(made, list(values.values()))


@pytest.fixture(scope="module")
def home(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A home whose database, topics, logs and state say hostile things; on a Kafka of its own, for other tests read the
    session's.
    """
    folder = tmp_path_factory.mktemp("home")
    with databases(servers, "terminal") as make, running(("kafka",)) as own_kafka:
        url = make()
        with psycopg.connect(url, autocommit=True) as connection:
            insert(connection, "drift")
            insert(connection, "model_skill", regime="all")
            insert(connection, "model_deployments")
            insert(connection, "alert_rules", removed_at=None)
            insert(connection, "alert_subscribers", channel="webhook", severity="info")
            insert(connection, "alert_deliveries", subscriber=HOSTILE, state="waiting")
            insert(connection, "pipeline_runs", state="failed", run_id="run")
            insert(connection, "pipeline_steps", state="failed", run_id="run")
        (folder / ADDRESSES).write_text(
            json.dumps({"database_url": url, "kafka": own_kafka.kafka, "redis_url": servers.redis_url})
        )
        (folder / "logs").mkdir()
        line = HOSTILE.replace("\r\n", "")  # which ends a line of a log, as ours write none
        (folder / "logs" / "worker.log").write_text(f"{line}\n{line}\n")
        own = Identity.of(os.getpid())
        assert own is not None
        component = Status(state="restarting", address=HOSTILE, last_error=HOSTILE)
        state.write(folder, StackState(own, {"worker": component, HOSTILE: component}))
        create_topics(own_kafka.broker)
        asyncio.run(send(own_kafka.broker))
        yield folder


async def send(kafka: Broker) -> None:
    alert = Alert(
        alert_id=HOSTILE, rule=HOSTILE, symbol="EVIL", time=1_747_526_400_000, severity="warning", message=HOSTILE
    )
    letter = DeadLetter(topic=HOSTILE, partition=0, offset=0, reason=HOSTILE, value=HOSTILE.encode(), time=0)
    producer = clients.producer(kafka)
    await producer.start()
    for topic, value in (
        (ALERTS, codec.encode_one(alert)),
        (ALERTS, HOSTILE.encode()),
        (ALERTS, b"\xff\x9b\x1b[31m"),
        (DEAD_LETTERS, codec.encode_one(letter)),
    ):
        await producer.send_and_wait(topic.name, value, key=b"EVIL")
    await producer.stop()


COMMANDS = (
    "drift",
    "skill",
    "models history",
    "models list",
    "alerts list",
    "alerts tail",
    "topics tail alerts",
    "topics tail dead-letters",
    "pipeline list",
    "pipeline show run",
    "logs",
    "logs worker",
    "status",
    "doctor",
    "models history evil\x1b[31m",
    "topics tail evil\x1b[31m",
)


@pytest.mark.services
@pytest.mark.parametrize("form", ["", " --json"])
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_prints_control_sequences(
    home: Path, command: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if form and command.split(maxsplit=1)[0] in ("logs", "topics"):
        pytest.skip("it has no JSON of its own")
    monkeypatch.setenv("FORETICK_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "2000")
    done = CliRunner().invoke(app, [*command.split(" "), *form.split()])
    output = done.output + (str(done.exception) and "")
    assert RAW.findall(output) == []
    assert not any(line.startswith("forged") for line in output.splitlines())
    if form and done.exit_code == 0:
        json.loads(done.stdout.splitlines()[0] if command == "alerts tail" else done.stdout)
    if done.exit_code == 0 and command not in ("models list", "doctor"):
        assert "owned" in output
        assert "[bold]:smile:[/bold]" in output


def test_a_log_record_with_controls_is_one_line() -> None:
    record = logging.LogRecord("foretick", logging.ERROR, "x.py", 1, "%s is no symbol", (HOSTILE,), None)
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        record.exc_info = sys.exc_info()
    first, *trace = Lines(TEXT).format(record).split("\n")
    assert first.endswith("forged is no symbol")
    assert trace[0].startswith("Traceback")
    assert RAW.findall("".join((first, *trace))) == []


def test_our_console_shows_markup_as_text_and_escapes_controls(capsys: pytest.CaptureFixture[str]) -> None:
    """What rich's own would not: it takes markup, and lets controls through."""
    for console, safe in ((Terminal(width=200), True), (Console(width=200), False)):
        table = Table("what", box=None)
        table.add_row(HOSTILE)
        console.print(table)
        console.print(f"{HOSTILE} of a line")
        output = capsys.readouterr().out
        assert (not RAW.findall(output)) == safe
        assert (output.count("[bold]:smile:[/bold]") == 2) == safe


def test_escaped_json_has_the_same_meaning() -> None:
    line = json.dumps({"message": HOSTILE}, ensure_ascii=False)
    assert RAW.findall(line)
    assert not RAW.findall(escaped(line))
    assert json.loads(escaped(line)) == {"message": HOSTILE}


def test_commands_print_only_through_cli_text() -> None:
    code = [path for path in (ROOT / "cli").glob("*.py") if path.name != "text.py"]
    assert len(code) > 20
    other = re.compile(r"typer\.(?:s?echo|style)\(|\bConsole\(|(?<!\.)\bprint\(|sys\.std(?:out|err)\.write|markup=True")
    assert [(path.name, match[0]) for path in code if (match := other.search(path.read_text()))] == []
