"""Whatever bytes come on whichever topic: each is a dead letter, nothing is restarted, and good symbols go on."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from stacks import Servers, environment_of, running
from stream_runs import COMPONENTS, DEADLINE_S, Run

from bench.fuzz import corpus
from bench.fuzz.generate import Input
from bench.fuzz.impossible_rows import impossible
from bench.fuzz.send import frame_of
from broker import clients
from broker.decision_signature import HEADER, key_of, signed
from settings import ROOT
from stack import state
from topics import codec
from topics.catalog import MODELS, READ_FOR_UNIVERSE, TICKS, TOPICS
from topics.records import Bar

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(900)]

READERS = ("worker", "persist", "alerts", "dashboard", "api")
READ = [topic.name for topic in TOPICS if topic not in READ_FOR_UNIVERSE]  # no universe is set in this stack
BARS_SENT = 150
HOSTILE: dict[str, tuple[bytes, list[tuple[str, Any]]]] = {
    "a thousand brackets": (b"[" * 1_000 + b"]" * 1_000, codec.HEADERS),
    "a thousand brackets in a field": (b'{"symbol":' + b"[" * 1_000 + b"]" * 1_000 + b"}", codec.HEADERS),
    "3.2 MB of no JSON": (b"\xff" * 3_200_000, codec.HEADERS),
    "40 MiB from a few kB": (b"x" * (40 << 20), codec.HEADERS),
    "many parts that are nothing": (b"[" + b"1," * 100_000 + b"1]", codec.HEADERS),
    "a number that is none": (b'[{"symbol":"A","time":1e999,"price":-1e400}]', codec.HEADERS),
    "no version": (b"{}", [(codec.VERSION_HEADER, None)]),
    "nothing": (b"", codec.HEADERS),
}


@pytest.fixture(scope="module")
def stack(trained: Path) -> Iterator[Run]:
    """Start everything that reads a topic."""
    with running((*COMPONENTS, "alerts", "dashboard", "api"), trained) as servers:
        yield Run(servers)


def foretick(run: Run, *arguments: str, columns: int = 200) -> "subprocess.CompletedProcess[str]":
    environment = environment_of(run.servers.home) | {"COLUMNS": str(columns)}
    command = [sys.executable, "-m", "cli.main", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def done(result: "subprocess.CompletedProcess[str]") -> str:
    assert result.returncode == 0, result.stderr
    return result.stdout


def query(run: Run, text: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(run.servers.database_url) as connection:
        return connection.execute(text, values).fetchall()


def until(so: Callable[[], bool], what: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not so():
        assert time.monotonic() < deadline, what()
        time.sleep(0.5)


async def send(servers: Servers, topics: list[str], values: dict[str, tuple[bytes, Any]]) -> dict[tuple[str, int], str]:
    """Send each value to partition 0 of each topic, packed, as the stack's own user; return what lies where.

    On `models` each has the ledger's signature: what has none is not even read (test_stream_forged.py).
    """
    size, key = 64 << 20, key_of(servers.home)
    sender = clients.producer(servers.broker, compression_type="zstd", max_request_size=size, max_batch_size=size)
    await sender.start()
    try:
        results = {}
        for topic in topics:
            for name, (value, headers) in values.items():
                every = [*headers, signed(key, value)] if topic == MODELS.name else headers
                sent = await sender.send_and_wait(topic, value, key=b"gbm", partition=0, headers=every)
                results[topic, sent.offset] = name
        return results
    finally:
        await sender.stop()


def processes(run: Run) -> dict[str, tuple[int | None, int]]:
    current = state.read(run.servers.home)
    assert current is not None
    return {name: (current.components[name].pid, current.components[name].restarts) for name in READERS}


def letters(run: Run) -> dict[tuple[str, int], str]:
    rows = query(run, 'SELECT topic, "offset", reason FROM dead_letters WHERE "partition" = 0')
    return {(topic, offset): reason for topic, offset, reason in rows}


def test_every_hostile_value_on_every_topic_is_a_dead_letter_and_a_good_symbol_goes_on(
    stack: Run, bars: dict[str, list[Bar]]
) -> None:
    for kind in ("gap", "prediction"):
        done(foretick(stack, "alerts", "add", f"any-{kind}", "--on", kind, "--when", "any"))
    before = processes(stack)
    sent = asyncio.run(send(stack.servers, READ, HOSTILE))
    symbol, rows = next(iter(bars.items()))
    stack.send([rows[start : start + 50] for start in range(0, BARS_SENT, 50)])
    stack.wait(BARS_SENT * 12)
    until(
        lambda: not sent.keys() - letters(stack).keys(),
        lambda: [sent[at] + f" {at}" for at in sent.keys() - letters(stack).keys()],
    )
    assert processes(stack) == before
    assert query(stack, "SELECT count(*) FROM predictions WHERE symbol = %s", symbol) == [(BARS_SENT * 12,)]
    ((size, held),) = query(stack, "SELECT max(size), max(length(value)) FROM dead_letters WHERE topic = 'bars'")
    assert (size, held) == (3_200_000, 65_536)
    bomb = next(at for at, name in sent.items() if name == "40 MiB from a few kB")
    assert "FORETICK_MAX_UNPACKED_MB" in letters(stack)[bomb]


def test_letters_are_listed_shown_sent_again_and_dropped(stack: Run) -> None:
    tick = b'{"symbol":"AGAIN","time":60000,"price":1.5,"amount":2.0}'
    wrong = [(codec.VERSION_HEADER, b"0\x1b[31m")]
    sent = asyncio.run(
        send(stack.servers, [TICKS.name], {"wrong": (tick, wrong), "text": (b"\x1b[2Jno", codec.HEADERS)})
    )
    until(lambda: not sent.keys() - letters(stack).keys(), lambda: sent)
    (_, first), (_, second) = sent
    table = done(foretick(stack, "dead-letters", "list", "--topic", "ticks", columns=80))
    assert "\x1b" not in table
    assert all(len(line) <= 80 for line in table.splitlines())
    groups = json.loads(done(foretick(stack, "dead-letters", "list", "--reason", "VERSION 0", "--json")))
    assert [(group["topic"], group["newest"], group["letters"]) for group in groups] == [
        ("ticks", f"ticks/0/{first}/0", 1)
    ]
    shown = done(foretick(stack, "dead-letters", "show", f"ticks/0/{second}"))
    assert "\\u001b[2Jno" in shown
    assert "\x1b" not in shown
    assert done(foretick(stack, "dead-letters", "drop", f"ticks/0/{second}")) == f"ticks/0/{second}/0 dropped\n"
    assert done(foretick(stack, "dead-letters", "retry", f"ticks/0/{first}/0")) == f"ticks/0/{first}/0 sent again\n"
    # With its headers, which were what is wrong with it: so it comes back, as another letter.
    until(
        lambda: len(query(stack, "SELECT 1 FROM dead_letters WHERE reason LIKE %s", "version 0%")) > 1,
        lambda: letters(stack),
    )
    result = json.loads(done(foretick(stack, "dead-letters", "list", "--state", "all", "--topic", "ticks", "--json")))
    assert {"retried", "dropped", "new"} <= {group["state"] for group in result}


def test_a_record_is_passed_over_while_the_stack_runs_also_of_a_compacted_topic(stack: Run) -> None:
    async def ends() -> dict[str, int]:
        client = clients.consumer(stack.servers.kafka, TICKS.name, MODELS.name)
        await client.start()
        try:
            result = await client.end_offsets(client.assignment())
            return {at.topic: end for at, end in result.items() if at.partition == 0}
        finally:
            await client.stop()

    after = asyncio.run(ends())
    for topic in (TICKS.name, MODELS.name):
        text = done(foretick(stack, "topics", "skip", topic, "0", str(after[topic]), "--why", "no good"))
        assert "skipped by worker" in text
    tick = b'{"symbol":"SKIPPED","time":60000,"price":1.5,"amount":2.0}'
    made = b'{"model":"gbm","number":9007199254740000,"action":"retire","champion":null,"fingerprint":"x","time":1}'
    before = processes(stack)
    for topic, value in ((TICKS.name, tick), (MODELS.name, made)):
        asyncio.run(send(stack.servers, [topic], {"skipped": (value, codec.HEADERS)}))
    places = {(topic, end) for topic, end in after.items()}
    until(lambda: places <= letters(stack).keys(), lambda: letters(stack))
    assert {letters(stack)[place] for place in places} == {"skipped by the user: no good"}
    assert query(stack, "SELECT count(*) FROM ticks WHERE symbol = 'SKIPPED'") == [(0,)]
    assert processes(stack) == before


def test_a_letter_that_is_not_there_gets_one_line(stack: Run) -> None:
    result = foretick(stack, "dead-letters", "drop", "bars/0/99999999")
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert "there is no dead letter bars/0/99999999" in result.stderr


async def send_inputs(servers: Servers, inputs: list[Input]) -> dict[tuple[str, int, int], str]:
    """Send inputs of the fuzzer as the stack's own user; return where those lie that the codec refuses, and why."""
    key = key_of(servers.home)
    sender = clients.producer(servers.broker)
    await sender.start()
    try:
        refused = {}
        for one in inputs:
            headers = [header for header in one.headers if header[0] != HEADER]
            if one.topic is MODELS:
                headers.append(signed(key, one.value or b""))
            sent = await sender.send_and_wait(one.topic.name, one.value, one.key, one.partition, headers=headers)
            rejected = frame_of(one, sent.timestamp).rejected
            if rejected:
                refused[sent.topic, sent.partition, sent.offset] = rejected[0].reason
        return refused
    finally:
        await sender.stop()


def test_the_corpus_of_the_fuzzer_ends_nothing_and_what_is_no_record_of_it_is_a_dead_letter(stack: Run) -> None:
    before = processes(stack)
    refused = asyncio.run(send_inputs(stack.servers, [one for one in corpus.load() if one.topic.name in READ]))

    def untold() -> dict[tuple[str, int, int], str]:
        messages = set(query(stack, 'SELECT topic, "partition", "offset" FROM dead_letters'))
        return {place: why for place, why in refused.items() if place not in messages}

    until(lambda: not untold() and not any(stack.behind().values()), untold)
    assert processes(stack) == before
    assert impossible(lambda text: query(stack, text)) == []
