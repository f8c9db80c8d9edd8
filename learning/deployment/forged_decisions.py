"""Decisions not published by the ledger, which workers refused and reported on `model-events`."""

from dataclasses import dataclass

import psycopg

QUERY = """
SELECT model, (extract(epoch FROM time) * 1000)::int8, reason FROM model_events
WHERE event = 'refused' AND version = '' AND reason LIKE '%%not signed by the ledger%%'
    AND time > now() - interval '30 days'
    AND (%(model)s::text IS NULL OR model = %(model)s) ORDER BY time
"""


@dataclass(frozen=True)
class ForgedDecision:
    """A refused record: the model in its key, its time (epoch ms), and the reason."""

    model: str
    time: int
    reason: str


def forged(url: str, model: str | None = None) -> list[ForgedDecision]:
    """Return the records refused in the last 30 days; none if there is no such table yet. Raises psycopg.Error."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        try:
            return [ForgedDecision(*row) for row in connection.execute(QUERY, {"model": model})]
        except psycopg.errors.UndefinedTable:
            return []
