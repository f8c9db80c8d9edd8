"""What the page Operations reads of a real TimescaleDB, and what its actions write, over HTTP."""

import base64
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ops_data
import psycopg
import pytest
from asking import act, ask, token
from dashboard_market import Market, serving

from dashboard.ops.data_health import read_health
from dashboard.ops.space import read_space
from dashboard.ops.tables import Wanted, read_tables
from storage.dead_letters import LetterPlace
from storage.retention import apply

pytestmark = pytest.mark.services

ALERT = ops_data.ALERT.alert_id


@pytest.fixture(scope="module")
def filled(new_market: Callable[[], Market]) -> Market:
    """A database with something on every card."""
    market = new_market()
    ops_data.fill(market)
    return market


@pytest.fixture(scope="module")
def address(filled: Market, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard on it; no Kafka answers."""
    with serving(filled.url, "127.0.0.1:1", tmp_path_factory.mktemp("home")) as served:
        yield served


def rows(market: Market, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with psycopg.connect(market.url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def test_letters_alerts_and_deliveries_are_read(filled: Market) -> None:
    place = LetterPlace("ticks", 0, 0, 0)
    with psycopg.connect(filled.url, autocommit=True) as connection:
        found = read_tables(connection, Wanted(group=("ticks", ops_data.REASON), letter=place))
        other = read_tables(connection, Wanted(topic="bars", reason="JSON"))
    assert found.topics == ("bars", "ticks")
    assert {(one.topic, one.letters) for one in found.groups} == {("ticks", 3), ("bars", 1)}
    assert [(one.topic, one.letters) for one in other.groups] == [("bars", 1)]
    assert [str(one.place) for one in found.letters] == ["ticks/0/0/0", "ticks/0/1/0", "ticks/0/2/0"]
    assert found.letters[0].head == ops_data.WRONG[:120]
    assert found.letter is not None
    assert found.letter.value == ops_data.WRONG
    (alert,) = found.alerts
    assert (alert.alert, alert.told) == (ops_data.ALERT, "redis failed: no answer")
    assert [(one.name, one.failed) for one in found.subscribers] == [("redis", 1)]


def test_each_hours_health_is_what_was_stored(filled: Market) -> None:
    with psycopg.connect(filled.url, autocommit=True, options="-c timezone=UTC") as connection:
        health = read_health(connection, "1m")
    start = datetime(2025, 5, 18, tzinfo=UTC)
    assert health.end == start + timedelta(minutes=199)
    verdicts = {(one.symbol, one.hour.hour): (one.verdict, one.bars, one.expected) for one in health.hours}
    assert verdicts == {
        ("BTCUSDT", 0): ("repaired", 60, 60),
        ("BTCUSDT", 1): ("suspect", 60, 60),
        ("BTCUSDT", 2): ("complete", 60, 60),
        ("BTCUSDT", 3): ("complete", 20, 20),
        ("ETHUSDT", 0): ("complete", 60, 60),
        ("ETHUSDT", 1): ("gap", 60, 60),
        ("ETHUSDT", 2): ("complete", 60, 60),
        ("ETHUSDT", 3): ("complete", 20, 20),
    }


def test_tables_tell_their_size_and_age(filled: Market) -> None:
    with psycopg.connect(filled.url, autocommit=True) as connection:
        space = read_space(connection)
    bars = {one.name: one for one in space.tables}["bars"]
    assert space.database > bars.size > 0
    assert bars.since is not None
    assert (bars.kept_days, bars.applied_at, bars.dropped_before) == (None, None, None)


def test_what_tables_keep_is_what_was_applied_to_them(filled: Market) -> None:
    apply(filled.url, {"ticks": 30.0, "predictions": 180.0, "score_hours": None, "dead_letters": None})
    with psycopg.connect(filled.url, autocommit=True) as connection:
        connection.execute("UPDATE table_retention SET dropped_before = '2025-03-01' WHERE name = 'ticks'")
        tables = {one.name: one for one in read_space(connection).tables}
    kept = {name: one.kept_days for name, one in tables.items() if one.applied_at is not None}
    assert kept == {"ticks": 30.0, "predictions": 180.0, "score_hours": None, "dead_letters": None}
    assert tables["ticks"].dropped_before == datetime(2025, 3, 1, tzinfo=UTC)
    assert tables["dead_letters"].chunks is None
    assert tables["dead_letters"].size > 0
    assert {"bars", "features", "outcome_rows"} <= tables.keys()


def test_an_alert_is_acknowledged_and_muted_by_whom_the_page_was_served_to(filled: Market, address: str) -> None:
    page = token(address)
    assert act(address, "alerts-acknowledge", page, {"alert_ids": [ALERT], "reason": "seen"}) == (200, "1 acknowledged")
    assert rows(filled, "SELECT alert_id, note FROM alert_acknowledgements") == [(ALERT, "seen")]
    muting = {"rule": "big-move", "symbol": "BTCUSDT", "hours": 2, "reason": "maintenance"}
    status, line = act(address, "alerts-mute", page, muting)
    assert (status, line[:11]) == (200, "muted until")
    assert rows(filled, "SELECT rule, symbol, until > now() FROM alert_mutes") == [("big-move", "BTCUSDT", True)]
    taken = {"rule": "big-move", "symbol": "BTCUSDT", "reason": "done"}
    assert act(address, "alerts-unmute", page, taken) == (200, "1 taken back")
    assert act(address, "alerts-unmute", page, taken) == (409, "there is no such mute any more")
    trail = rows(filled, "SELECT who, page, action, outcome, reason, result FROM dashboard_actions ORDER BY number")
    assert [(action, outcome) for _, _, action, outcome, _, _ in trail] == [
        *(("alerts-acknowledge", "done"), ("alerts-mute", "done"), ("alerts-unmute", "done")),
        ("alerts-unmute", "failed"),
    ]
    assert trail[0] == ("dashboard", "ops", "alerts-acknowledge", "done", "seen", "1 acknowledged")
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        rows(filled, "DELETE FROM dashboard_actions RETURNING 1")


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Foretick_Token": "ops.99999999999.0"},
        {"X_Foretick_Token": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_an_unauthorised_action_is_refused_and_audited(filled: Market, address: str, headers: dict[str, str]) -> None:
    query = "SELECT action, outcome, request FROM dashboard_actions WHERE outcome = 'refused'"
    before = rows(filled, query)
    request = {"alert_ids": [ALERT], "reason": "mine"}
    assert act(address, "alerts-acknowledge", token(address), request, **headers)[0] == 403
    deadline = time.monotonic() + 20
    while rows(filled, query) == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert rows(filled, query) == [*before, ("alerts-acknowledge", "refused", None)]
    assert rows(filled, "SELECT note FROM alert_acknowledgements WHERE note = 'mine'") == []


def test_letters_are_dropped_and_a_kafka_that_is_away_leaves_them_as_they_were(filled: Market, address: str) -> None:
    page = token(address)
    status, line = act(address, "letter-resend", page, {"letter": "ticks/0/0/0", "reason": "again"})
    assert status == 409
    assert line.startswith("Kafka at 127.0.0.1:1 did not accept it")
    assert act(address, "letter-drop", page, {"letter": "ticks/0/2/0", "reason": "no use"})[0] == 200
    all_of_bars = {"topic": "bars", "letter_reason": "no JSON", "reason": "noise"}
    assert act(address, "letters-drop", page, all_of_bars) == (200, "1 dropped; they stay in the table")
    assert act(address, "letters-drop", page, all_of_bars)[0] == 409
    query = "SELECT topic, \"offset\", state FROM dead_letters WHERE state <> 'new' ORDER BY topic"
    assert rows(filled, query) == [("bars", 7, "dropped"), ("ticks", 2, "dropped")]
    assert rows(filled, "SELECT 1 FROM dead_letter_resends") == []


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        ({"letter": "ticks/0/0"}, "there is no dead letter ticks/0/0"),
        ({"letter": "nonsense"}, "'nonsense' is no dead letter's name"),
        ({"letter": "ticks/0/0/0", "value": "{}"}, "still no record of ticks"),
        ({"letter": "ticks/0/0/0", "value": "zz", "form": "hex"}, "the value is not in hexadecimal"),
    ],
)
def test_a_wrong_correction_gets_one_line(address: str, request_: dict[str, str], line: str) -> None:
    status, text = act(address, "letter-correct", token(address), {"value": "", "reason": "try", **request_})
    assert status == 409
    assert text.startswith(line)


def test_beyond_this_machine_everything_asks_for_the_password(filled: Market, tmp_path: Path) -> None:
    with serving(filled.url, "127.0.0.1:1", tmp_path, "--address", "0.0.0.0") as served:  # noqa: S104 - what is tested
        file = tmp_path / "dashboard.password"
        assert file.stat().st_mode & 0o777 == 0o600
        basic = base64.b64encode(f"foretick:{file.read_text()}".encode()).decode()
        let_in = {"Authorization": f"Basic {basic}"}
        for path in ("/", "/ops", "/assets/page.css", "/static/js/bokeh.min.js"):
            assert ask(served, path)[0] == 401
            assert ask(served, path, **let_in)[0] == 200
        socket = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Protocol": "bokeh, x"}
        assert ask(served, "/ops/ws", **socket)[0] == 401
        assert ask(served, "/health")[0] == 200
        page, request = token(served, **let_in), {"alert_ids": [ALERT], "reason": "seen again"}
        assert act(served, "alerts-acknowledge", page, request)[0] == 401
        assert act(served, "alerts-acknowledge", page, request, **let_in)[0] == 200
