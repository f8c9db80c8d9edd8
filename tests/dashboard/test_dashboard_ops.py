"""The page Operations without a server: what is read of components and metrics, the cards, and the address."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import ops_data
import pytest
from bokeh.document import Document

from dashboard.bridge import chooser
from dashboard.number_format import DASH
from dashboard.ops import alert_cards, cards, letter_cards
from dashboard.ops.data_health import HOUR, HourHealth, Verdict, by_hour, total
from dashboard.ops.page import SOURCES, OpsPage
from dashboard.ops.readers import Dated, Readers
from dashboard.ops.space import Space, TableSpace
from dashboard.ops.system import System, system
from dashboard.ops.tables import AlertLine, LetterLine, Tables, Wanted
from dashboard.ops.view import View, parse
from dashboard.polled_reader import Reading
from dashboard.service import PageRequest
from observability.lag import ConsumerLag
from observability.scrape import scrape
from settings import Settings
from stack.status_report import UNKNOWN
from stack.topic_lag import PartitionLag
from storage.dead_letters import Group, LetterPlace, Resend, StoredDeadLetter
from topics.retention import TOPIC_DAYS

HOSTILE = '"><script>alert(1)</script>'
NOW = datetime(2025, 6, 3, 10, 30, tzinfo=UTC)
PLACE = LetterPlace("ticks", 0, 17, 0)


def stored(value: bytes = HOSTILE.encode(), size: int | None = None) -> StoredDeadLetter:
    """Return a dead letter whose every text is hostile."""
    return StoredDeadLetter(
        topic="ticks",
        partition=0,
        offset=17,
        row=0,
        reason=HOSTILE,
        value=value,
        key=HOSTILE.encode(),
        time=NOW,
        size=size,
        state="new",
        decided_at=None,
    )


def tables() -> Tables:
    """Return tables whose every text is hostile."""
    alert = msgspec.structs.replace(ops_data.ALERT, rule=HOSTILE, symbol=HOSTILE, message=HOSTILE)
    return Tables(
        topics=("ticks",),
        groups=(Group(topic="ticks", reason=HOSTILE, state="new", letters=1, last=NOW, newest=str(PLACE)),),
        letters=(LetterLine(place=PLACE, time=NOW, size=9_999, head=HOSTILE.encode()),),
        letter=stored(),
        resends=(Resend(time=NOW, who=HOSTILE, reason=HOSTILE, value=HOSTILE.encode(), key=None),),
        alerts=(AlertLine(alert=alert, made_at=NOW, published_at=NOW, seen_at=None, note=HOSTILE, told=HOSTILE),),
        mutes=(),
        subscribers=(),
        actions=(),
    )


def test_components_logs_and_metrics_are_read_as_they_are(tmp_path: Path) -> None:
    with ops_data.components(tmp_path) as port:
        settings = Settings(home=tmp_path, metrics_ports={"worker": port, "persist": 1})
        with system(settings) as source:
            first, second = source.read("worker"), source.read("../../etc/passwd")
    worker = first.components["worker"]
    assert (worker.state, worker.restarts, worker.good) == ("healthy", 2, True)
    assert first.log == ("one line", "ERROR <i>another</i>")
    assert second.log is None
    assert (first.measured, first.silent) == (("worker",), ("persist",))
    latency = {(one.histogram, one.of): one for one in first.latencies}["foretick_latency_seconds", "ops-test"]
    assert latency.quantiles == (pytest.approx(0.175), pytest.approx(0.2425), pytest.approx(0.2485))
    assert first.latency_s is None
    assert "since each process began" in cards.latency(first)


def test_a_rate_is_what_was_counted_over_the_time_in_which_it_was(tmp_path: Path) -> None:
    with (
        ops_data.components(tmp_path) as port,
        system(Settings(home=tmp_path, metrics_ports={"worker": port})) as source,
    ):
        before = source.read(None)
        at, reading = source.readings.pop()
        source.readings.append((at - 10, reading))
        ops_data.count(50)
        after = source.read(None)
    assert {one.topic: one.read for one in before.throughput}["features"] is None
    assert {one.topic: one.read for one in after.throughput}["features"] == pytest.approx(5.0, rel=0.1)


def test_without_a_supervisor_no_component_is_called_healthy(tmp_path: Path) -> None:
    with system(Settings(home=tmp_path, metrics_ports={})) as source:
        nothing = source.read(None)
    assert "No supervisor runs" in cards.components(nothing)
    assert "healthy" not in cards.components(nothing)
    assert cards.NO_METRICS in cards.flow(nothing)
    assert cards.NO_METRICS in cards.latency(nothing)


def test_a_process_that_does_not_answer_has_no_metrics() -> None:
    assert scrape(1, ("foretick_latency_seconds",)) is None


def test_lag_is_shown_by_topic_and_partition_and_unknown_is_a_dash() -> None:
    parts = [
        PartitionLag(
            group="foretick-persist", topic="bars", partition=part, first=0, at=5, end=9, committed=True, lag=lag
        )
        for part, lag in enumerate((ConsumerLag(4, 8, 61.0), ConsumerLag(0, 0, 0.0), ConsumerLag(2, None, None)))
    ]
    shown = cards.lag(parts)
    assert f"<td>6</td><td>{DASH}</td><td>{DASH}</td>" in shown  # the sum is known of the records alone
    assert "4, 61.0 s" in shown
    assert f"2, {DASH}" in shown
    assert "<small>1</small> 0<" in shown


def test_what_comes_from_data_is_text() -> None:
    some = tables()
    wanted = Wanted(group=("ticks", HOSTILE), letter=PLACE)
    shown = [letter_cards.groups(some, wanted), letter_cards.letters(some, wanted), letter_cards.letter(some, wanted)]
    shown += [alert_cards.alerts(some, True), chooser(HOSTILE, HOSTILE)]
    for html in shown:
        assert "script" in html
        assert "<script" not in html


def test_a_cut_letter_cannot_be_corrected_and_bytes_that_are_no_text_are_shown_in_hexadecimal() -> None:
    def shown(letter: StoredDeadLetter) -> str:
        return letter_cards.letter(replace(tables(), letter=letter), Wanted(letter=PLACE))

    assert "letter-correct" in shown(stored())
    assert "letter-correct" not in shown(stored(size=70_000))
    assert "ff 00" in shown(stored(b"\xff\x00"))


def test_the_address_says_what_is_looked_at() -> None:
    view = View().chosen("group|ticks|a | b").chosen("letter|ticks/0/17/0").chosen("log|worker").chosen("alerts|all")
    assert view.letters == Wanted(group=("ticks", "a | b"), letter=PLACE)
    again, notes = parse({name: value for name, value in view.query().items() if value})
    assert (again, notes) == (view, ())
    assert view.chosen("group||").chosen("log|").chosen("alerts|").query() == View().query()
    wrong, notes = parse({"state": "old", "letter": "x"})
    assert wrong == View()
    assert [note.split()[0] for note in notes] == ["state=old", "'x'"]


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ({"bars": 60}, "complete"),
        ({"bars": 60, "repaired": 2}, "repaired"),
        ({"bars": 60, "repaired": 2, "suspect": 1}, "suspect"),
        ({"bars": 60, "suspect": 1, "gaps": 1}, "gap"),
        ({"bars": 59, "gaps": 1}, "incomplete"),
        ({"bars": 0}, "none"),
    ],
)
def test_an_hours_verdict_is_the_worst_of_its_findings(found: dict[str, int], verdict: Verdict) -> None:
    fields = {"suspect": 0, "repaired": 0, "gaps": 0, **found}
    hour = HourHealth(symbol="X", hour=NOW, expected=60, missing_trades=None, **fields)
    assert hour.verdict == verdict


def test_a_gap_is_in_each_hour_that_it_touches_and_its_trades_are_counted_once() -> None:
    start = datetime(2025, 6, 3, tzinfo=UTC)
    gaps = [
        ("X", start + timedelta(minutes=30), start + timedelta(minutes=150), 7),
        ("X", start + timedelta(minutes=40), start + timedelta(minutes=41), None),
        ("X", start - timedelta(hours=5), start + timedelta(minutes=1), 3),
    ]
    found = by_hour(gaps, start)
    assert found == {("X", start): (7, None, 3), ("X", start + HOUR): (0,), ("X", start + 2 * HOUR): (0,)}
    assert total(found["X", start]) is None
    assert total(found["X", start + HOUR]) == 0


class Fixed:
    """A reader that knows what it is given."""

    def __init__(self) -> None:
        self.reading: Reading[Any] = Reading(None, None, None)

    def view(self, _: object, wake: object = None) -> Reading[Any]:  # noqa: ARG002 - as the reader is
        """Return it."""
        return self.reading


def test_what_is_old_is_said_to_be_old_and_a_source_that_comes_back_is_live_again() -> None:
    readers = Readers(Settings(database_url="postgresql://127.0.0.1:1/none"))
    source = readers.tables = Fixed()
    page = OpsPage(Document(), PageRequest(arguments={}, system="light"), readers)
    assert (page.bridge.state, "Reading" in page.texts["groups"].text) == ("connecting", True)
    source.reading = Reading(None, None, "No answer from x.")
    page.tick()
    assert (page.bridge.state, "No answer from x." in page.texts["alerts"].text) == ("stale", True)
    source.reading = Reading(Dated(tables(), NOW), 0.5, None)
    page.tick()
    assert (page.bridge.state, page.texts["notices"].text) == ("waiting", "")
    assert "system, kafka, health" in page.texts["badge"].text  # the other readers have not begun
    source.reading = Reading(Dated(tables(), NOW), 9.0, "No answer from x.")
    page.tick()
    assert page.bridge.state == "stale"
    assert ">03 Jun 2025 10:30:00 UTC<" in page.texts["groups"].text
    assert "letters-resend" in page.texts["groups"].text
    source.reading = Reading(Dated(tables(), NOW), 60.0, None)
    page.tick()
    assert "Its reader is late." in page.texts["alerts"].text
    source.reading = Reading(Dated(tables(), NOW), 0.5, None)
    page.tick()
    assert (page.bridge.state, "as of" in page.texts["groups"].text) == ("waiting", False)


@pytest.mark.parametrize(("good", "state", "label"), [(True, "live", "live"), (False, "stale", "worker unknown")])
def test_the_page_is_live_only_while_every_component_does_its_work(good: bool, state: str, label: str) -> None:
    readers = Readers(Settings(database_url="postgresql://127.0.0.1:1/none"))
    source = readers.system = Fixed()
    page = OpsPage(Document(), PageRequest(arguments={}, system="light"), readers)
    page._known |= set(SOURCES)  # as if all others had answered
    seen = System(
        supervised=True,
        components={"worker": replace(UNKNOWN, good=good)},
        log=None,
        throughput=(),
        rate_s=None,
        latencies=(),
        latency_s=None,
        measured=(),
        silent=(),
    )
    source.reading = Reading(Dated(seen, NOW), 0.5, None)
    page.tick()
    assert (page.bridge.state, label in page.texts["badge"].text) == (state, True)


def test_a_pressed_button_opens_what_it_names() -> None:
    readers = Readers(Settings(database_url="postgresql://127.0.0.1:1/none"))
    page = OpsPage(Document(), PageRequest(arguments={"state": [b"old"]}, system="light"), readers)
    assert "state=old in the address is none of" in page.texts["notices"].text
    page.bridge.pressed = f"letter|{PLACE}"
    assert (page.view.letters.letter, page.bridge.pressed) == (PLACE, "")
    assert "letter=ticks%2F0%2F17%2F0" in page.bridge.query
    page.bridge.visited = "?topic=bars&state=retried&reason=x&log=worker&letter=ticks/0/17/0"
    assert page.view == View(letters=Wanted(topic="bars", state="retried", reason="x", letter=PLACE), log="worker")
    assert (page.topic.value, page.state.value, page.reason.value) == ("bars", "retried", "x")
    page.topic.value, page.reason.value = "all", ""
    page.state.value = "dropped"
    assert page.view.letters == Wanted(state="dropped")


def test_what_is_kept_is_told_as_it_was_applied_and_that_nothing_applies_it() -> None:
    ticks = TableSpace(
        name="ticks",
        size=2**20,
        chunks=5,
        since=NOW - timedelta(days=30),
        kept_days=30.0,
        applied_at=NOW - timedelta(hours=2),
        dropped_before=NOW - timedelta(days=31),
    )
    plain = replace(ticks, name="score_hours", chunks=None, since=None, kept_days=None, dropped_before=None)
    shown = cards.space(Space(database=2**21, tables=(ticks, plain)), NOW)
    for text in ("30 days", "03 May 2025", "ever", "Old rows were dropped last 2 h"):
        assert text in shown
    assert "stale" not in shown
    late = cards.space(Space(database=1, tables=(replace(ticks, applied_at=NOW - timedelta(days=2)),)), NOW)
    never = cards.space(Space(database=1, tables=(replace(ticks, applied_at=None),)), NOW)
    assert ('class="stale">Old rows' in late, 'class="stale">Nothing drops old rows' in never) == (True, True)


def test_what_kafka_keeps_is_kafkas_own_word_beside_what_is_set_where_that_differs() -> None:
    as_set = cards.topics(TOPIC_DAYS, TOPIC_DAYS)
    assert "newest per key" in as_set
    assert "14 days" not in as_set
    other = cards.topics({**TOPIC_DAYS, "ticks": 14.0, "bars": None}, TOPIC_DAYS)
    assert "14 days" in other
    assert "ever" in other
    assert other.count("7 days") == as_set.count("7 days")  # ticks: what is set
    assert DASH in cards.topics({}, TOPIC_DAYS)
