"""The log of decisions and their publication: TimescaleDB first, then the workers, then serving.json."""

import asyncio
import fcntl
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg
from aiokafka.errors import KafkaError
from psycopg import Connection
from psycopg.types.json import Jsonb

from broker.confirmed_send import send_in_turn
from broker.decision_signature import key_of, signed
from features.definition import Definition
from learning.deployment.forged_decisions import ForgedDecision, forged
from models.registry import listing
from models.serving import deployment as deciding
from models.serving.deployment import Action
from settings import Settings
from settings.broker import Address
from storage.errors import place, reason
from topics import codec
from topics.catalog import MODELS
from topics.records import Deployment

T = TypeVar("T")

# A broker that does not answer raises an exception: aiokafka need not log it as well.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())

ATTEMPTS = 5
"""How often a decision is retried if another was made about the model meanwhile."""
COLUMNS = "model, number, action, champion, fingerprint, time, challengers, standby, decided_by, why, evidence"
LATEST = f"SELECT DISTINCT ON (model) {COLUMNS} FROM model_deployments ORDER BY model, number DESC"  # noqa: S608 - ours
HISTORY = f"SELECT {COLUMNS} FROM model_deployments ORDER BY time, model, number"  # noqa: S608 - ours
OF_MODEL = f"SELECT {COLUMNS} FROM model_deployments WHERE model = %s ORDER BY number"  # noqa: S608 - ours
INSERT = f"INSERT INTO model_deployments ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"  # noqa: S608 - ours
TO_DO = "it takes effect at the next ./foretick up"


class LedgerError(Exception):
    """A decision cannot be made, or a server does not accept it: one line with what to do."""


class Ledger:
    """The append-only log of decisions. Its methods block, so they must not be called in an event loop's thread."""

    def __init__(self, settings: Settings) -> None:
        self._url, self._kafka = settings.database_url.get_secret_value(), settings.broker
        self._home, self._folder = settings.home, settings.home / "models"

    @property
    def fingerprint(self) -> str:
        """The features' definition in service: decisions on another are out of date."""
        return Definition.load(self._folder).fingerprint

    def latest(self) -> dict[str, Deployment]:
        """Return the newest decision about each model, whatever its features. Raises LedgerError."""
        return self._asked(lambda connection: {one.model: one for one in _read(connection, LATEST)})

    def history(self, model: str | None = None) -> list[Deployment]:
        """Return all decisions, or those about one model, in their order. Raises LedgerError."""
        query, of = (HISTORY, ()) if model is None else (OF_MODEL, (model,))
        return self._asked(lambda connection: list(_read(connection, query, *of)))

    def forged(self, model: str | None = None) -> list[ForgedDecision]:
        """Return the decisions of others that workers refused, about all models or one. Raises LedgerError."""
        return self._asked(lambda _: forged(self._url, model))

    def decide(
        self,
        model: str,
        action: Action,
        version: str | None = None,
        *,
        decided_by: str,
        why: str,
        evidence: Mapping[str, float] | None = None,
        force: bool = False,
    ) -> Deployment:
        """Record the next decision about a model, then publish it: see `models.serving.deployment.following`.

        Raises LedgerError if it cannot be made or recorded: then nothing has changed; and if it is recorded but Kafka
        does not accept it: then `publish_latest` will publish it.
        """
        self._exists(model, version if action in ("serve", "challenge", "promote") else None)
        fingerprint = self.fingerprint

        def append(connection: Connection) -> Deployment:
            with connection.transaction():
                log = list(_read(connection, OF_MODEL, model))
                made = deciding.following(
                    log,
                    model,
                    action,
                    version,
                    fingerprint=fingerprint,
                    time=int(time.time() * 1000),
                    decided_by=decided_by,
                    why=why,
                    evidence=evidence,
                    force=force,
                )
                connection.execute(INSERT, _row(made))  # of two concurrent decisions the key refuses one
            return made

        for attempt in range(ATTEMPTS):
            try:
                made = self._asked(append)
                break
            except psycopg.errors.UniqueViolation:
                if attempt == ATTEMPTS - 1:
                    raise LedgerError(f"other decisions about model {model!r} keep being made: try again") from None
        self._publish(model)
        return made

    def publish_latest(self) -> None:
        """Publish the newest decision about each model again, and update serving.json. Raises LedgerError.

        After a crash between the log and the topic this brings the decision into effect.
        """
        self._publish()

    def _exists(self, model: str, version: str | None) -> None:
        """Raise LedgerError if there is no such model, or no such version of it to put into service."""
        there = listing.versions(self._folder, model)
        if not there and model not in self.latest():
            known = ", ".join(listing.names(self._folder)) or "none: run foretick train"
            raise LedgerError(f"no model {model!r} in {self._folder}; there are {known}")
        if version is not None and version not in there:
            known = ", ".join(there) or "none: run foretick train"
            raise LedgerError(f"no version {version} of model {model!r} in {self._folder}; there are {known}")

    def _asked(self, ask: Callable[[Connection], T]) -> T:
        try:
            with psycopg.connect(self._url, autocommit=True) as connection:
                return ask(connection)
        except psycopg.errors.UniqueViolation:
            raise
        except psycopg.errors.UndefinedTable:
            raise LedgerError(f"{place(self._url)} has no log of deployments yet: ./foretick up creates it") from None
        except psycopg.Error as error:
            raise LedgerError(
                f"{place(self._url)} does not answer ({reason(error)}): is it running? ./foretick up"
            ) from None
        except ValueError as error:
            raise LedgerError(str(error)) from error

    def _publish(self, *models: str) -> None:
        """Publish the newest decision about these models, or all, and write their champions to serving.json.

        One process at a time: of two decisions about a model, the later one must come last onto the topic.
        """
        with _locked(self._folder):
            newest = [one for model, one in self.latest().items() if not models or model in models]
            key = key_of(self._home)  # here, so that who only reads the log makes none
            try:
                asyncio.run(_send(self._kafka, key, newest))
            except KafkaError as error:
                text = f"Kafka at {self._kafka} does not answer ({reason(error)})"
                raise LedgerError(f"the decision is recorded, but {text}: {TO_DO}") from None
            self._list(newest)

    def _list(self, deployments: Iterable[Deployment]) -> None:
        """Write champions to serving.json, for a start without topics; other models stay listed."""
        try:
            listed = listing.serving(self._folder)
        except ValueError:
            listed = {}
        fingerprint, before = self.fingerprint, dict(listed)
        for deployment in deployments:
            if deployment.fingerprint == fingerprint:
                listed.pop(deployment.model, None)
                if deployment.champion is not None:
                    listed[deployment.model] = deployment.champion
        if listed != before:
            listing.serve(self._folder, listed)


def _read(connection: Connection, query: Any, *parameters: str | None) -> Iterator[Deployment]:
    for row in connection.execute(query, parameters):
        model, number, action, champion, fingerprint, moment, challengers, standby, who, why, evidence = row
        epoch_ms = round(moment.timestamp() * 1000)
        yield Deployment(
            model=model,
            number=number,
            action=action,
            champion=champion,
            fingerprint=fingerprint,
            time=epoch_ms,
            challengers=challengers,
            standby=standby,
            decided_by=who,
            why=why,
            evidence=evidence,
        )


def _row(made: Deployment) -> tuple[object, ...]:
    return (
        made.model,
        made.number,
        made.action,
        made.champion,
        made.fingerprint,
        datetime.fromtimestamp(made.time / 1000, UTC),
        made.challengers,
        made.standby,
        made.decided_by,
        made.why,
        None if made.evidence is None else Jsonb(made.evidence),
    )


async def _send(bootstrap: Address, sign: bytes, deployments: Iterable[Deployment]) -> None:
    values = ((deployment.model.encode(), codec.encode_one(deployment)) for deployment in deployments)
    await send_in_turn(
        bootstrap, ((MODELS.name, key, value, [*codec.HEADERS, signed(sign, value)]) for key, value in values)
    )


@contextmanager
def _locked(folder: Any) -> Iterator[None]:
    """Let one process at a time change serving.json."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".serving.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
