"""The decisions that somebody else than the ledger published: workers refused them, and said so on `model-events`."""

from dataclasses import dataclass

import psycopg

QUERY = """
SELECT model, (extract(epoch FROM time) * 1000)::int8, reason FROM model_events
WHERE event = 'refused' AND version = '' AND reason LIKE '%%not signed by the ledger%%'
    AND time > now() - interval '30 days'
    AND (%(model)s::text IS NULL OR model = %(model)s) ORDER BY time
"""


@dataclass(frozen=True)
class Forged:
    """A record that was refused: the model that it is keyed by, when it came (epoch ms), and why."""

    model: str
    time: int
    reason: str


def forged(url: str, model: str | None = None) -> list[Forged]:
    """Return what was refused in the last 30 days; nothing where there is no such table yet. Raises psycopg.Error."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        try:
            return [Forged(*row) for row in connection.execute(QUERY, {"model": model})]
        except psycopg.errors.UndefinedTable:
            return []
