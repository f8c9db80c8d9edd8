"""Waits for the first forecast of a started stack, in the page's table."""

import time
from datetime import datetime

import psycopg

POLL_S = 0.5
TIMEOUT_S = 3


def wait_for_forecast(database_url: str, seconds: float) -> datetime | None:
    """Return the time of the bar of the newest forecast as soon as there is one, None if there is none in that time."""
    deadline = time.monotonic() + seconds
    while (result := newest_forecast(database_url)) is None and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return result


def newest_forecast(database_url: str) -> datetime | None:
    """Return the time of the bar of the newest forecast, None if none is stored or the database does not answer."""
    try:
        with psycopg.connect(database_url, connect_timeout=TIMEOUT_S, autocommit=True) as connection:
            row = connection.execute("SELECT max(time) FROM latest_predictions").fetchone()
    except psycopg.Error:
        return None
    return None if row is None else row[0]
