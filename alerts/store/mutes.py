"""Mutes: suppress deliveries until a time or until unmuted."""

from datetime import datetime

import msgspec
from msgspec import Struct
from psycopg import Connection

from alerts.store.names import absent, rules_in_force
from alerts.subscriber import Mute

ADD = "INSERT INTO alert_mutes (rule, symbol, alert_id, until) VALUES (%s, %s, %s, %s)"
END_WAITING = """
UPDATE alert_deliveries d SET state = 'muted', ended_at = now()
FROM alert_outbox o
WHERE d.alert_id = o.alert_id AND d.state = 'waiting' AND (%(alert_id)s::text IS NULL OR o.alert_id = %(alert_id)s)
    AND (%(symbol)s::text IS NULL OR o.symbol = %(symbol)s)
    AND (%(rule)s::text IS NULL OR convert_from(o.alert, 'UTF8')::jsonb ->> 'rule' = %(rule)s)
"""
REMOVE = """
DELETE FROM alert_mutes
WHERE (until IS NULL OR until > now()) AND (%(rule)s::text IS NULL OR rule = %(rule)s)
    AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s) AND (%(alert_id)s::text IS NULL OR alert_id = %(alert_id)s)
"""
IN_FORCE = """
SELECT rule, symbol, alert_id, until FROM alert_mutes WHERE until IS NULL OR until > now()
ORDER BY rule, symbol, alert_id, until
"""
MADE = "SELECT FROM alert_outbox WHERE alert_id = %s"


class MuteShown(Struct, frozen=True):
    """A mute in force: alerts that match all its fields are not delivered until then, for None: for good."""

    rule: str | None
    symbol: str | None
    alert_id: str | None
    until: datetime | None


def mute(connection: Connection, what: Mute, until: datetime | None) -> int:
    """Suppress deliveries of that until then (None: always), also waiting ones; return the number of those.

    Raises ValueError if there is no such rule, or no such alert.
    """
    with connection.transaction():
        known = rules_in_force(connection)
        if what.rule is not None and what.rule not in known:
            raise ValueError(absent("rule", what.rule, known))
        if what.alert_id is not None and connection.execute(MADE, (what.alert_id,)).fetchone() is None:
            raise ValueError(f"there is no alert {what.alert_id}: foretick alerts tail shows the ids")
        connection.execute(ADD, (what.rule, what.symbol, what.alert_id, until))
        return connection.execute(END_WAITING, msgspec.structs.asdict(what)).rowcount


def unmute(connection: Connection, what: Mute) -> int:
    """End every mute that names all of that, and possibly more; return their number."""
    return connection.execute(REMOVE, msgspec.structs.asdict(what)).rowcount


def in_force(connection: Connection) -> list[MuteShown]:
    """Return the mutes in force."""
    return [MuteShown(*row) for row in connection.execute(IN_FORCE).fetchall()]
