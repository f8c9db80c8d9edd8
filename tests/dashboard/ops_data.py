"""What the page Operations shows, in a database and a folder: letters, gaps, alerts, components and their logs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psycopg
from dashboard_market import FIRST, MINUTE, Market
from storing import store

from broker.origin import Origin
from observability.metrics import Meter
from observability.probe import Probe
from settings import Settings
from stack import state
from stack.process import Identity
from stack.state import StackState, Status
from topics.catalog import DEAD_LETTERS, FEATURES, GAPS
from topics.records import Alert, DeadLetter, Gap

WRONG = b'{"symbol":"BTCUSDT","time":1747526400000,"price":"much","amount":1.0}'
REASON = "ValidationError: Expected `float`, got `str` - at `$.price`"
HOSTILE = b"<script>document.title='taken'</script>\xff\x00"
ALERT = Alert(
    alert_id="a1", rule="big-move", symbol="BTCUSDT", time=FIRST, severity="critical", message="moved <b>5 %</b>"
)
METER = Meter("ops-test", FEATURES)


def letters(count: int = 3) -> list[DeadLetter]:
    """Return ticks whose price is a word, and one that is nothing at all."""
    made = [
        DeadLetter(topic="ticks", partition=0, offset=at, reason=REASON, value=WRONG, key=b"BTCUSDT", time=FIRST + at)
        for at in range(count)
    ]
    return [*made, DeadLetter(topic="bars", partition=1, offset=7, reason="no JSON", value=HOSTILE, time=FIRST)]


def fill(market: Market) -> None:
    """Store a market with a gap, a trade that was asked for afterwards, dead letters and an alert."""
    market.write(200, symbols=("BTCUSDT", "ETHUSDT"))
    gap = Gap(symbol="ETHUSDT", venue="x", start=FIRST + 70 * MINUTE, end=FIRST + 71 * MINUTE, reason="lost", trades=4)
    store(market.url, {DEAD_LETTERS: letters(), GAPS: [gap]})
    with psycopg.connect(market.url, autocommit=True) as connection:
        connection.execute("UPDATE bars SET suspect = 'spike' WHERE symbol = 'BTCUSDT' AND time = '2025-05-18 01:05Z'")
        connection.execute(
            "INSERT INTO ticks (symbol, time, identity, price, amount, repaired) "
            "VALUES ('BTCUSDT', '2025-05-18 00:05Z', 'x:1', 1, 1, true)"
        )
        connection.execute("INSERT INTO alert_rules (name, version, definition) VALUES ('big-move', 1, '{}')")
        connection.execute(
            "INSERT INTO alert_outbox (alert_id, symbol, alert, published_at) VALUES (%s, %s, %s, now())",
            (ALERT.alert_id, ALERT.symbol, msgspec.json.encode(ALERT)),
        )
        connection.execute(
            "INSERT INTO alert_deliveries (subscriber, alert_id, number, state, error) "
            "VALUES ('redis', 'a1', 1, 'failed', 'no answer')"
        )


def count(records: int) -> None:
    """Count a batch as a worker's stage does: computed in 2 ms, and published 200 ms after it arrived."""
    METER.folded(0.002, records, [])
    METER.delivered(Origin(1_000), [1_200])


@contextmanager
def components(home: Path) -> Iterator[int]:
    """Put a supervisor's state and a log into a folder, and serve metrics as a worker does; gives their port."""
    this = Identity.of(os.getpid())
    assert this is not None
    status = Status(
        state="healthy", works=True, pid=this.pid, create_time=this.create_time, started_at=this.create_time, restarts=2
    )
    state.write(home, StackState(this, {"worker": status}))
    (home / "logs").mkdir(exist_ok=True)
    (home / "logs" / "worker.log").write_text("one line\nERROR <i>another</i>\n")
    for _ in range(100):
        count(10)
    probe = Probe("worker")
    port = probe.start(Settings(metrics_port=0))
    assert port is not None
    try:
        yield port
    finally:
        probe.stop()
