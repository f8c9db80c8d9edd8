"""The status of the models: each version that predicts, its role, training, and decision."""

import msgspec
import psycopg

from learning.deployment.ledger import Ledger, LedgerError
from models.registry import listing, provenance
from models.registry.provenance import Provenance
from models.serving.deployment import roles
from settings import Settings
from storage.errors import place, reason
from topics.catalog import DAY_MS
from topics.records import Deployment, Role

NEWEST_BAR = "SELECT (extract(epoch FROM max(time)) * 1000)::float8 FROM bars WHERE interval = %s"


class ModelStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One version. Times are epoch ms; the age is the newest bar's distance from the end of the training data."""

    model: str
    version: str
    role: Role | None
    trained_until: int | None = None
    age_days: float | None = None
    expired: bool = False
    number: int = 0
    decided_by: str = ""
    decided_at: int | None = None
    why: str = ""
    provenance: Provenance | None = None


def model_statuses(settings: Settings) -> list[ModelStatus]:
    """Return every version that predicts, by model; also versions trained for the next start. Raises LedgerError."""
    ledger = Ledger(settings)
    fingerprint, now = ledger.fingerprint, _newest_bar(settings)
    latest = {model: one for model, one in ledger.latest().items() if one.fingerprint == fingerprint}
    trained = _trained(settings)
    rows = [
        _stands(settings, model, version, role, deployment, now)
        for model, deployment in latest.items()
        for version, role in roles(deployment).items()
    ]
    waiting = [(model, version) for model, version in trained.items() if model not in latest]
    return rows + [_stands(settings, model, version, "champion", None, now) for model, version in waiting]


def of_model(settings: Settings, model: str, version: str | None = None) -> list[ModelStatus]:
    """Return the versions of a model in <home>/models, or the named one.

    Raises LedgerError if there is no such model or version.
    """
    there = listing.versions(settings.home / "models", model)
    if not there or version not in (None, *there):
        known = ", ".join(there or sorted(_trained(settings))) or "none: run foretick train"
        what = f"version {version} of model {model!r}" if there else f"model {model!r}"
        raise LedgerError(f"no {what} in {settings.home / 'models'}; there are {known}")
    ledger = Ledger(settings)
    newest, now = ledger.latest().get(model), _newest_bar(settings)
    if newest is not None and newest.fingerprint != ledger.fingerprint:
        newest = None
    served = {} if newest is None else roles(newest)
    return [
        _stands(settings, model, one, served.get(one), newest if one in served else None, now)
        for one in there
        if version in (None, one)
    ]


def _trained(settings: Settings) -> dict[str, str]:
    try:
        return listing.serving(settings.home / "models")
    except ValueError:
        return {}


def _stands(
    settings: Settings, model: str, version: str, role: Role | None, deployment: Deployment | None, now: int | None
) -> ModelStatus:
    try:
        origin = provenance.read(settings.home / "models" / model / version)
    except ValueError as error:
        raise LedgerError(str(error)) from error
    last = None if origin is None else origin.last
    age = None if last is None or now is None else max(now - last, 0) / DAY_MS
    expired = origin is not None and now is not None and origin.expired(now, settings.model_expiry_days)
    model_status = ModelStatus(
        model=model, version=version, role=role, trained_until=last, age_days=age, expired=expired, provenance=origin
    )
    if deployment is None:
        return model_status
    return msgspec.structs.replace(
        model_status,
        number=deployment.number,
        decided_by=deployment.decided_by,
        decided_at=deployment.time,
        why=deployment.why,
    )


def _newest_bar(settings: Settings) -> int | None:
    url = settings.database_url.get_secret_value()
    try:
        with psycopg.connect(url) as connection:
            row = connection.execute(NEWEST_BAR, (settings.interval,)).fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    except psycopg.Error as error:
        raise LedgerError(f"{place(url)} does not answer ({reason(error)}): is it running? ./foretick up") from None
    return None if row is None or row[0] is None else int(row[0])
