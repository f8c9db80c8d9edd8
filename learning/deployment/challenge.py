"""Makes versions trained by a user challengers, like the pipeline's."""

from collections.abc import Sequence

from learning.deployment.ledger import Ledger
from models.forecaster import Forecaster
from models.registry.model_registry import Served
from models.serving.deployment import MOST_CHALLENGERS, roles
from topics.records import Deployment

BY = "foretick train"


def champions(ledger: Ledger, wanted: Sequence[str]) -> list[str]:
    """Return the models to train, those in service if none is named.

    Raises ValueError if one has no champion on the features in service, LedgerError if that cannot be read.
    """
    serving = [name for name, one in ledger.latest().items() if one.champion and one.fingerprint == ledger.fingerprint]
    for name in wanted:
        if name not in serving:
            there = f"in service are {', '.join(serving)}" if serving else "none is in service"
            raise ValueError(f"model {name!r} has no champion to challenge, {there}: train it without --as-challenger")
    if not serving:
        raise ValueError("no model is in service: train without --as-challenger, or foretick up")
    return list(wanted) or serving


def challenge(ledger: Ledger, model: Forecaster | Served, why: str) -> Deployment | str:
    """Make a stored version a challenger, replacing the oldest one at the maximum number; return the decision, or the
    role that the version already has. Raises LedgerError.
    """
    now = ledger.latest()[model.name]
    role = roles(now).get(model.version)
    if role is not None:
        return role
    if len(now.challengers) >= MOST_CHALLENGERS:
        why_not = f"replaced by a newer version: {model.version}"
        ledger.decide(model.name, "withdraw", now.challengers[0], decided_by=BY, why=why_not)
    return ledger.decide(model.name, "challenge", model.version, decided_by=BY, why=why)
