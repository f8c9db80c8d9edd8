"""One subscriber's deliveries in TimescaleDB: due ones, attempts and results.

An attempt is counted before it is made. So a message that is delivered twice, because the process was killed between
sending and recording, has two attempts.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import msgspec
from psycopg import AsyncConnection

from alerts.delivery.rate_limit import Bucket
from alerts.subscriber import Subscriber
from topics.records import Alert

MOST_IN_A_SUMMARY = 500

WAITING = """
SELECT count(*) FROM (
    SELECT FROM alert_deliveries WHERE subscriber = %s AND state = 'waiting' AND next_at <= now() LIMIT 1000
) AS due
"""
DUE = """
SELECT d.alert_id, o.alert, d.attempts + 1, d.summary, o.traceparent
FROM alert_deliveries d JOIN alert_outbox o USING (alert_id)
WHERE d.subscriber = %s AND d.state = 'waiting' AND d.next_at <= now() ORDER BY d.number LIMIT %s
"""
OF_SUMMARY = """
SELECT d.alert_id, o.alert, d.attempts + 1, d.summary, o.traceparent
FROM alert_deliveries d JOIN alert_outbox o USING (alert_id)
WHERE d.subscriber = %s AND d.state = 'waiting' AND d.summary = %s ORDER BY d.number
"""
TRY = """
UPDATE alert_deliveries SET attempts = attempts + 1, summary = coalesce(%s, summary)
WHERE subscriber = %s AND alert_id = ANY (%s) AND state = 'waiting'
"""
SAVE_BUCKET = "UPDATE alert_subscribers SET tokens = %s, tokens_at = to_timestamp(%s) WHERE name = %s"
BUCKET = "SELECT tokens, extract(epoch FROM tokens_at)::float8 FROM alert_subscribers WHERE name = %s"
# A delivery that was muted meanwhile, or whose subscriber was removed, was sent nevertheless, and is recorded as such.
DELIVERED = """
UPDATE alert_deliveries SET state = 'delivered', error = NULL, ended_at = now()
WHERE subscriber = %s AND alert_id = ANY (%s)
RETURNING extract(epoch FROM ended_at - made_at)::float8
"""
NOT_YET = """
UPDATE alert_deliveries SET error = %s, next_at = now() + %s
WHERE subscriber = %s AND alert_id = ANY (%s) AND state = 'waiting'
"""
GIVE_UP = """
WITH ended AS (
    UPDATE alert_deliveries SET state = 'failed', ended_at = now(),
        error = 'given up: ' || coalesce(error, 'its turn never came')
    WHERE state = 'waiting' AND made_at < now() - %s
    RETURNING subscriber
)
SELECT coalesce(channel, 'unsubscribed'), count(*)
FROM ended LEFT JOIN alert_subscribers ON name = subscriber GROUP BY 1
"""


class Due(NamedTuple):
    """A due delivery, for the `attempt`-th time; several of one `summary` go as one message. `traceparent` is of
    the span in which the alert was made.
    """

    alert_id: str
    alert: Alert
    attempt: int
    summary: str | None
    traceparent: str | None = None


_alerts = msgspec.json.Decoder(Alert)


class Queue:
    """One subscriber's queue, over a connection of its own."""

    def __init__(self, connection: AsyncConnection, subscriber: Subscriber) -> None:
        self._connection, self._subscriber = connection, subscriber

    async def bucket(self, now: float) -> Bucket:
        """Return the tokens last saved; full at first."""
        one = self._subscriber
        row = await (await self._connection.execute(BUCKET, (one.name,))).fetchone()
        tokens, at = row if row is not None and row[0] is not None else (float(one.burst), now)
        return Bucket(one.per_minute, one.burst, min(tokens, float(one.burst)), at)

    async def waiting(self) -> int:
        """Return how many are due, up to 1,000."""
        row = await (await self._connection.execute(WAITING, (self._subscriber.name,))).fetchone()
        return int(row[0]) if row else 0

    async def due(self, most: int) -> list[Due]:
        """Return the deliveries to make now, the oldest first. One of a summary returns all of it, and nothing else."""
        dues = await self._read(DUE, most)
        if dues and dues[0].summary is not None:
            return await self._read(OF_SUMMARY, dues[0].summary)
        return [one for one in dues if one.summary is None]

    async def _read(self, query: str, argument: object) -> list[Due]:
        rows = await (await self._connection.execute(query.encode(), (self._subscriber.name, argument))).fetchall()
        return [Due(alert_id, _alerts.decode(alert), *others) for alert_id, alert, *others in rows]

    async def save(self, bucket: Bucket) -> None:
        """Save the tokens in the bucket."""
        await self._connection.execute(SAVE_BUCKET, (bucket.tokens, bucket.at, self._subscriber.name))

    async def trying(self, ids: Sequence[str], summary: str | None) -> int:
        """Record that these are about to be sent; return how many are still waiting."""
        return (await self._connection.execute(TRY, (summary, self._subscriber.name, list(ids)))).rowcount

    async def delivered(self, ids: Sequence[str]) -> list[float]:
        """Record that these were delivered; return the seconds from each alert's creation to its delivery."""
        rows = await self._connection.execute(DELIVERED, (self._subscriber.name, list(ids)))
        return [seconds for (seconds,) in await rows.fetchall()]

    async def not_yet(self, ids: Sequence[str], error: str, seconds: float) -> None:
        """Record why these were refused, and when to retry."""
        wait = timedelta(seconds=seconds)
        await self._connection.execute(NOT_YET, (error, wait, self._subscriber.name, list(ids)))


async def give_up(connection: AsyncConnection, days: float) -> dict[str, int]:
    """Give up deliveries that have waited for this long; return their number by channel. They are kept, and shown."""
    rows = await (await connection.execute(GIVE_UP, (timedelta(days=days),))).fetchall()
    return dict(rows)
