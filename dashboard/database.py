"""The pages' connection to the database, which only reads, and what they say when it does not answer."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import Connection

CONNECT_S = 3
STATEMENT_S = 10
PLANNED_EACH_TIME = "-c plan_cache_mode=force_custom_plan"
"""For statements of spans from an hour to a month: the sixth time PostgreSQL would take one plan for all of them."""


@contextmanager
def connected(
    url: str, statement_s: int = STATEMENT_S, connect_s: int = CONNECT_S, more: str = ""
) -> Iterator[Connection]:
    """Open a connection that only reads; a statement is ended after so many seconds, `more` are further options.

    Raises psycopg.Error.
    """
    read = f"-c statement_timeout={statement_s}s -c default_transaction_read_only=on -c jit=off -c timezone=UTC"
    options = f"{read} {more}"
    with psycopg.connect(url, autocommit=True, connect_timeout=connect_s, options=options) as connection:
        yield connection


def no_answer(where: str, error: Exception) -> str:
    """Return the sentence for a database that does not answer; libpq's names the place too, and has advice below."""
    first = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return f"No answer from {where} ({first.rsplit('failed: ', 1)[-1].strip(' .')})."
