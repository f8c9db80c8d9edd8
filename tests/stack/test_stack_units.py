"""The stack's decisions, without a server."""

import asyncio
import os
import stat
import time
from typing import get_args

import pytest
from aiokafka import TopicPartition

from observability.condition import HEALTHY, Condition, Word
from settings import Settings
from stack import conditions, doctor, jars, log_tail, process, redis, state, status_report, system, topic_lag
from stack.component import Component, in_order
from stack.component_watch import LONGEST_WAIT_S, back_off_s
from stack.diagnosis import explain
from stack.kafka_config import Listeners, server_properties
from stack.process import Identity
from stack.row_counts import TABLES, counts
from stack.secret import password
from stack.state import StackState, Status
from topics.catalog import MAX_MESSAGE_BYTES, TOPICS

NOWHERE = "127.0.0.1:1"


def test_the_wait_before_a_restart_doubles_up_to_a_limit():
    assert [back_off_s(failures) for failures in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]
    assert back_off_s(50) == LONGEST_WAIT_S


def component(name: str, *needs: str) -> Component:
    return Component(name=name, launch=None, needs=needs)


def test_components_come_after_what_they_need():
    table = (component("worker", "prepare"), component("prepare", "kafka"), component("kafka"))
    assert [each.name for each in in_order(table)] == ["kafka", "prepare", "worker"]


def test_a_need_outside_the_table_counts_as_met():
    assert in_order((component("prepare", "kafka"),))[0].name == "prepare"


@pytest.mark.parametrize(
    "table", [(component("a", "b"), component("b", "a")), (component("a"), component("a"))], ids=["circle", "twice"]
)
def test_a_component_table_with_a_cycle_or_duplicate_is_refused(table):
    with pytest.raises(ValueError, match="component"):
        in_order(table)


def test_state_is_read_as_written(tmp_path):
    written = StackState(
        Identity(1, 2.5), {"kafka": Status(state="restarting", address="here:1", pid=3, create_time=4.5, restarts=6)}
    )
    state.write(tmp_path, written)
    assert state.read(tmp_path) == written


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"supervisor": {}}', '{"supervisor": null, "components": {}}'])
def test_a_state_that_cannot_be_read_is_none(tmp_path, text):
    if text is not None:
        (tmp_path / state.FILE).write_text(text)
    assert state.read(tmp_path) is None


def test_a_process_is_told_from_a_later_one_of_the_same_id():
    own = Identity.of(os.getpid())
    assert own is not None
    assert own.alive()
    assert not Identity(own.pid, own.create_time - 1).alive()


def test_what_a_killed_supervisor_wrote_last_is_not_believed(tmp_path):
    gone = Identity(os.getpid(), 1.0)
    state.write(tmp_path, StackState(gone, {"kafka": Status(state="healthy", pid=os.getpid(), create_time=1.0)}))
    component_report = status_report.of(state.read(tmp_path).components["kafka"], running=False)
    assert (component_report.state, component_report.pid, component_report.uptime) == ("stopped", None, None)


def test_a_process_that_is_gone_is_unknown_before_the_supervisor_has_noticed(tmp_path):
    own = Identity.of(os.getpid())
    gone = Status(state="healthy", pid=os.getpid(), create_time=1.0, works=True)
    state.write(tmp_path, StackState(own, {"kafka": gone, "worker": gone}))
    report = status_report.report(Settings(home=tmp_path, kafka=NOWHERE, database_url=f"postgresql://{NOWHERE}/x"))
    for name in ("kafka", "worker"):
        assert (report.components[name].state, report.components[name].good) == ("unknown", False)
    assert not report.good()


def test_a_component_that_does_not_answer_is_unknown_whatever_its_last_state(tmp_path):
    own = Identity.of(os.getpid())
    status = Status(state="healthy", pid=own.pid, create_time=own.create_time, works=True)
    settings = Settings(home=tmp_path, metrics_ports={"worker": 1})
    assert conditions.one(settings, "worker", status).word == "unknown"
    assert conditions.one(Settings(home=tmp_path), "kafka", status) == HEALTHY
    status.restarted_at = [time.time()] * 3
    assert conditions.one(settings, "worker", status).word == "looping"


def test_each_word_that_is_not_good_is_explained_with_what_to_do(tmp_path):
    (tmp_path / "worker.log").write_text("12:00 ERROR foretick it broke\n12:01 INFO foretick it goes on\n")
    for word in get_args(Word):
        bad = explain("worker", Status(state=word), Condition(word=word, why="a reason", since=5.0), tmp_path)
        assert not bad.good
        assert "a reason" in bad.detail
        assert "12:00 ERROR foretick it broke" in bad.detail
        assert bad.advice
    planned = explain(
        "trainer", Status(state="waiting"), Condition(word="waiting", why="the next run", works=True), tmp_path
    )
    assert (planned.good, planned.advice, planned.detail) == (True, None, "waiting: the next run")
    failed = explain("kafka", Status(state="failed", last_error="its disk is full"), None, tmp_path)
    assert "its disk is full" in failed.detail


TRACE = "Traceback (most recent call last):\n  File x\n    raise KeyError(3)\n"


@pytest.mark.parametrize(
    ("text", "telling"),
    [
        ("", None),
        ("12:00 INFO foretick all is well\n", None),
        ("12:00 ERROR foretick it broke\n12:01 INFO foretick on\n", "12:00 ERROR foretick it broke"),
        (f"12:00 CRITICAL foretick it ends\n{TRACE}KeyError: 3\n", "12:00 CRITICAL foretick it ends: KeyError: 3"),
        (f"{TRACE}psycopg.OperationalError: gone\n12:01 INFO on\n", "psycopg.OperationalError: gone"),
        ('{"level": "info", "event": "well"}\n', None),
        ('{"level": "error", "event": "broke", "time": "12:00"}\n{"level": "info", "event": "x"}\n', "12:00 broke"),
        ('{"level": "critical", "event": "ends", "exception": "Traceback\\nKeyError: 3"}\n', "ends KeyError: 3"),
        ('{"level": \n', None),
    ],
)
def test_the_last_telling_line_of_a_log_is_found(tmp_path, text, telling):
    (tmp_path / "x.log").write_text(text)
    assert log_tail.telling(tmp_path / "x.log") == telling
    assert log_tail.telling(tmp_path / "none.log") is None


def test_the_broker_listens_on_the_loopback_interface_only_and_takes_our_largest_message(tmp_path):
    lines = server_properties(Listeners(9092, 9094, 9093), tmp_path, "secret").splitlines()
    properties = dict(line.split("=", 1) for line in lines)
    assert properties["listeners"] == "SASL://127.0.0.1:9094,CONTROLLER://127.0.0.1:9093,OPEN://127.0.0.1:9092"
    assert properties["advertised.listeners"] == "SASL://127.0.0.1:9094,OPEN://127.0.0.1:9092"
    assert int(properties["message.max.bytes"]) >= MAX_MESSAGE_BYTES
    assert properties["auto.create.topics.enable"] == "false"
    assert {properties[key] for key in properties if key.endswith(("replication.factor", "min.isr"))} == {"1"}


def test_redis_wants_the_password_and_listens_on_the_loopback_interface_only(tmp_path):
    lines = redis.configuration(tmp_path, 6379, "secret").splitlines()
    assert "requirepass secret" in lines
    assert "bind 127.0.0.1" in lines


def test_a_password_is_made_once_and_read_by_its_owner_only(tmp_path):
    path = tmp_path / "new" / "password"
    assert password(path) == password(path)
    assert len(password(path)) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_child_is_told_when_the_supervisor_dies():
    command = process.command_line(["server", "-x"], "postgres", process.signal.SIGINT)
    assert command[1:] == [
        "--reuid=postgres", "--regid=postgres", "--init-groups", "--pdeathsig", "INT", "--", "server", "-x"
    ]  # fmt: skip


def test_the_last_line_that_says_something_is_found(tmp_path):
    log = tmp_path / "x.log"
    assert process.last_line(log) == ""
    log.write_text("first\nthe error\n\n  \n")
    assert process.last_line(log) == "the error"


def test_a_log_that_has_grown_large_is_set_aside(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "LOG_BYTES", 3)
    log = tmp_path / "logs" / "x.log"
    os.close(process.open_log(log))
    log.write_text("long")
    os.close(process.open_log(log))
    assert log.read_text() == ""
    assert log.with_suffix(".log.1").read_text() == "long"


def test_added_lines_are_given_whole_and_once(tmp_path):
    log = tmp_path / "x.log"
    log.write_text("old\n")
    position = {log: 4}
    log.write_text("old\nnew\nhal")
    assert log_tail.added(log, position) == ["new"]
    log.write_text("old\nnew\nhalf\n")
    assert log_tail.added(log, position) == ["half"]
    log.write_text("anew\n")
    assert log_tail.added(log, position) == ["anew"]


def test_lag_is_that_of_the_slowest_reader():
    first, second = TopicPartition("bars", 0), TopicPartition("bars", 1)
    begin, end = {first: 10, second: 0}, {first: 100, second: 5}
    committed = {topic_lag.WORKER_GROUP: {first: 100, second: 5}, topic_lag.PERSIST_GROUP: {first: 60, second: 5}}
    assert topic_lag.slowest("bars", begin, end, committed) == {first: 60}
    # What is gone from the topic cannot be read any more, and what was never committed was never read.
    assert topic_lag.slowest("bars", begin, end, {}) == {first: 10, second: 0}
    assert topic_lag.slowest("ticks", begin, end, committed) is None


def test_numbers_of_servers_that_are_down_are_unknown_and_not_zero():
    assert asyncio.run(counts(f"postgresql://foretick@{NOWHERE}/foretick")) == dict.fromkeys(TABLES)
    assert set(asyncio.run(topic_lag.lag(NOWHERE)).values()) == {None}


def test_every_topic_that_is_read_is_in_the_catalog():
    assert {topic for topics in topic_lag.READS.values() for topic in topics} <= {topic.name for topic in TOPICS}


def test_somebody_who_may_not_install_is_told_what_to_install():
    text = system.how_to_install(["postgresql", "timescaledb", "redis-server"])
    assert "apt-get install postgresql redis-server" in text
    assert "docker compose up" in text
    assert "\n" not in text


def test_the_doctor_finds_what_is_installed_and_says_what_to_do_otherwise(tmp_path):
    checks = doctor.examine(Settings(home=tmp_path))
    names = {check.name for check in checks}
    assert {"python", "packages", "disk", "memory", "postgres installed", "redis installed", "supervisor"} <= names
    assert all(check.advice for check in checks if check.status != "ok")


def test_the_list_of_jars_names_the_broker_and_scala_each_with_its_hash():
    listed = [line.split() for line in jars.LIST.read_text().splitlines()]
    names = {coordinate.split(":")[1] for coordinate, _ in listed}
    assert {"kafka_2.13", "kafka-server", "scala-library", "slf4j-simple"} <= names
    assert all(coordinate.count(":") == 2 and len(digest) == 64 for coordinate, digest in listed)
