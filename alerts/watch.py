"""The alert engine's transaction: states, alerts, deliveries and offsets change together, or not at all.

So a killed process continues exactly after its last transaction. An alert whose id exists already is not made again.
"""

import logging
from collections.abc import Mapping, Sequence

from msgspec import Struct
from psycopg import AsyncConnection

from alerts import metrics
from alerts.rules.fold import State
from alerts.rules.matching import Key, Work, distribute, dump, load, run
from alerts.store.rule_set import CachedRuleSet, RuleSet
from topics.codec import encode_one
from topics.records import Alert

log = logging.getLogger("foretick")

Place = tuple[str, int]
"""A topic and a partition."""

OFFSETS = 'SELECT topic, "partition", next FROM alert_offsets'
MOVE = """
INSERT INTO alert_offsets (topic, "partition", next) SELECT * FROM unnest(%s::text[], %s::int8[], %s::int8[])
ON CONFLICT (topic, "partition") DO UPDATE SET next = excluded.next
"""
LOAD = """
SELECT rule, version, subject, state FROM alert_states
JOIN unnest(%s::text[], %s::int8[], %s::text[]) AS wanted (rule, version, subject) USING (rule, version, subject)
"""
STORE = """
INSERT INTO alert_states (rule, version, subject, state)
SELECT * FROM unnest(%s::text[], %s::int8[], %s::text[], %s::bytea[])
ON CONFLICT (rule, version, subject) DO UPDATE SET state = excluded.state
"""
MAKE = """
INSERT INTO alert_outbox (alert_id, symbol, alert, traceparent)
SELECT alert_id, symbol, alert, %s
FROM unnest(%s::text[], %s::text[], %s::bytea[]) WITH ORDINALITY AS made (alert_id, symbol, alert, place) ORDER BY place
ON CONFLICT (alert_id) DO NOTHING
RETURNING alert_id, number
"""
DELIVER = """
INSERT INTO alert_deliveries (subscriber, alert_id, number, state)
SELECT * FROM unnest(%s::text[], %s::text[], %s::int8[], %s::text[])
"""


class AlertEngine:
    """Evaluates records with the rules in force; only the process with the lock does (alerts/worker.py)."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._latest = CachedRuleSet()
        self._rule_set = RuleSet()
        self._states: dict[Key, State] = {}

    async def rule_set(self) -> RuleSet:
        """Return the rule set in force; log the rules that cannot be used."""
        rule_set = await self._latest.on(self._connection)
        if rule_set.rules != self._rule_set.rules:
            self._states.clear()
        for line in set(rule_set.unusable) - set(self._rule_set.unusable):
            log.error("%s", line)
        self._rule_set = rule_set
        return rule_set

    async def offsets(self) -> dict[Place, int]:
        """Return the offset to read next of each partition that was ever read."""
        rows = await (await self._connection.execute(OFFSETS)).fetchall()
        return {(topic, partition): following for topic, partition, following in rows}

    async def take(
        self, records: Mapping[str, Sequence[Struct]], offsets: Mapping[Place, int], traceparent: str | None = None
    ) -> int:
        """Evaluate records, by the name of their kind, and store the offsets; return the number of new alerts.

        `traceparent` is of the span in which that happens, None if it is not traced.
        """
        rule_set = await self.rule_set()
        work = distribute(rule_set.rules, records)
        await self._know(work)
        changed, alerts = run(work, self._states)
        try:
            async with self._connection.transaction():
                await self._store(changed)
                made = await self._make(alerts, rule_set, traceparent)
                if offsets:
                    topics, partitions = zip(*offsets, strict=True)
                    await self._connection.execute(MOVE, (list(topics), list(partitions), list(offsets.values())))
        except BaseException:
            self._states.clear()
            raise
        self._states.update(changed)
        metrics.looked_at(records, made)
        return len(made)

    async def _know(self, work: Work) -> None:
        unknown = [key for key in work if key not in self._states]
        if unknown:
            columns = [list(column) for column in zip(*unknown, strict=True)]
            for rule, version, subject, state in await (await self._connection.execute(LOAD, columns)).fetchall():
                self._states[Key(rule, version, subject)] = load(state)

    async def _store(self, changed: Mapping[Key, State]) -> None:
        if changed:
            columns = [list(column) for column in zip(*changed, strict=True)]
            await self._connection.execute(STORE, (*columns, [dump(state) for state in changed.values()]))

    async def _make(self, alerts: Sequence[Alert], rule_set: RuleSet, traceparent: str | None) -> list[Alert]:
        if not alerts:
            return []
        by_id = {alert.alert_id: alert for alert in alerts}
        columns = list(by_id), [a.symbol for a in by_id.values()], [encode_one(a) for a in by_id.values()]
        new = await (await self._connection.execute(MAKE, (traceparent, *columns))).fetchall()
        rows = []
        for alert_id, number in new:
            alert = by_id[alert_id]
            state = "muted" if any(mute.covers(alert) for mute in rule_set.mutes) else "waiting"
            rows += [(s.name, alert_id, number, state) for s in rule_set.subscribers if s.wants(alert)]
        if rows:
            await self._connection.execute(DELIVER, [list(column) for column in zip(*rows, strict=True)])
        return [by_id[alert_id] for alert_id, _ in new]
