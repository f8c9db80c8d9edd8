"""The audit trail of the pages' actions: a line in the log each, and a row in the table `dashboard_actions`."""

import logging
from dataclasses import asdict, dataclass
from typing import Literal

import psycopg

from storage.errors import reason

log = logging.getLogger("foretick.audit")
log.setLevel(logging.INFO)  # the server itself logs warnings only

WHO = "dashboard"
INSERT = """
INSERT INTO dashboard_actions (who, client, page, action, outcome, reason, request, result)
VALUES (%(who)s, %(client)s, %(page)s, %(action)s, %(outcome)s, %(reason)s, %(request)s::json, %(result)s)
"""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One action that was done, failed or was refused; `request` is JSON, None where it was not accepted."""

    client: str
    action: str
    outcome: Literal["done", "failed", "refused"]
    result: str
    page: str | None = None
    reason: str | None = None
    request: str | None = None
    who: str = WHO


def write(url: str, entry: Entry) -> None:
    """Write an entry to the log, and to the database if it answers."""
    what = {"page": entry.page, "client": entry.client, "reason": entry.reason}
    log.info("action %s %s by %s: %s %s", entry.action, entry.outcome, entry.who, entry.result, what)
    row = {name: value.replace("\0", "\ufffd") if value else value for name, value in asdict(entry).items()}
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=3) as connection:
            connection.execute(INSERT, row)
    except psycopg.Error as error:
        log.warning("action %s is in this log only: %s", entry.action, reason(error))
