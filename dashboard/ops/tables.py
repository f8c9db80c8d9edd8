"""Reads what the page shows of dead letters, alerts and actions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec
from psycopg import Connection

from alerts.store import mutes, overview
from alerts.store.mutes import MuteShown
from alerts.store.overview import SubscriberShown
from dashboard.ops.queries import QUERIES
from storage import dead_letters
from storage.dead_letters import Group, LetterPlace, Resend, State, StoredDeadLetter
from storage.row_records import record_of
from topics.records import Alert

MOST_GROUPS, MOST_LETTERS, MOST_ALERTS, MOST_ACTIONS = 50, 25, 50, 20


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which dead letters a viewer looks at: `reason` is a part of it; `group` is the opened topic and reason."""

    topic: str | None = None
    reason: str | None = None
    state: State = "new"
    group: tuple[str, str] | None = None
    letter: LetterPlace | None = None


@dataclass(frozen=True, kw_only=True)
class LetterLine:
    """A dead letter in a list: `head` are the first bytes of its value, of `size`."""

    place: LetterPlace
    time: datetime
    size: int
    head: bytes


@dataclass(frozen=True, kw_only=True)
class AlertLine:
    """An alert, and what became of it; `told` names each subscriber and the delivery's state."""

    alert: Alert
    made_at: datetime
    published_at: datetime | None
    seen_at: datetime | None
    note: str | None
    told: str | None


@dataclass(frozen=True, kw_only=True)
class ActionLine:
    """An entry of the audit trail."""

    time: datetime
    action: str
    outcome: Literal["done", "failed", "refused"]
    client: str
    reason: str | None
    result: str


@dataclass(frozen=True, kw_only=True)
class Tables:
    """All that is shown of the tables, read at one time."""

    topics: tuple[str, ...]
    groups: tuple[Group, ...]
    letters: tuple[LetterLine, ...]
    letter: StoredDeadLetter | None
    resends: tuple[Resend, ...]
    alerts: tuple[AlertLine, ...]
    mutes: tuple[MuteShown, ...]
    subscribers: tuple[SubscriberShown, ...]
    actions: tuple[ActionLine, ...]


def read_tables(connection: Connection, wanted: Wanted) -> Tables:
    """Read them."""
    letter = _letter(connection, wanted.letter)
    groups = dead_letters.groups(connection, wanted.topic, wanted.reason, wanted.state, MOST_GROUPS)
    return Tables(
        topics=tuple(row[0] for row in connection.execute(QUERIES["letter_topics"]).fetchall()),
        groups=tuple(groups),
        letters=_letters(connection, wanted),
        letter=letter,
        resends=tuple(dead_letters.resends(connection, letter)) if letter else (),
        alerts=_alerts(connection),
        mutes=tuple(mutes.in_force(connection)),
        subscribers=tuple(record_of(SubscriberShown, row) for row in connection.execute(overview.SUBSCRIBERS)),
        actions=_actions(connection),
    )


def _letter(connection: Connection, place: LetterPlace | None) -> StoredDeadLetter | None:
    found: Sequence[StoredDeadLetter] = () if place is None else dead_letters.letters(connection, place)
    return found[0] if found else None


def _letters(connection: Connection, wanted: Wanted) -> tuple[LetterLine, ...]:
    if wanted.group is None:
        return ()
    topic, reason = wanted.group
    asked = {"state": wanted.state, "topic": topic, "reason": reason, "most": MOST_LETTERS}
    return tuple(
        LetterLine(place=LetterPlace(of, partition, offset, row), time=time, size=size, head=head)
        for of, partition, offset, row, time, size, head in connection.execute(QUERIES["letters"], asked)
    )


def _actions(connection: Connection) -> tuple[ActionLine, ...]:
    return tuple(
        ActionLine(time=time, action=action, outcome=outcome, client=client, reason=reason, result=result)
        for time, action, outcome, client, reason, result in connection.execute(
            QUERIES["actions"], {"most": MOST_ACTIONS}
        )
    )


def _alerts(connection: Connection) -> tuple[AlertLine, ...]:
    return tuple(
        AlertLine(
            alert=msgspec.json.decode(alert, type=Alert),
            made_at=made_at,
            published_at=published_at,
            seen_at=seen_at,
            note=note,
            told=told,
        )
        for alert, made_at, published_at, seen_at, note, told in connection.execute(
            QUERIES["alerts"], {"most": MOST_ALERTS}
        )
    )
