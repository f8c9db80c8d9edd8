"""What the buttons of the page do: promote a challenger, and roll the last promotion back, through the ledger."""

from typing import Annotated

from msgspec import Meta

from dashboard.actions.action import Action, ActionError, ActionRequest
from learning.deployment.confirmation import Confirmation, answer, end
from learning.deployment.ledger import Ledger, LedgerError
from models.serving.deployment import Action as Decision
from settings import Settings
from topics.limits import MOST_KEYS
from topics.records import Deployment

BY = "dashboard"
ANSWER_S, FIRST_BARS_S = 15.0, 0.0
"""How long a worker's answer is waited for."""


class PromoteRequest(ActionRequest, kw_only=True, forbid_unknown_fields=True):
    """The challenger to promote; `number` is the decision that the viewer saw, `evidence` what was shown with it."""

    model: str
    version: str
    number: int
    evidence: Annotated[dict[str, float], Meta(max_length=MOST_KEYS)] | None = None


class RollbackRequest(ActionRequest, kw_only=True, forbid_unknown_fields=True):
    """The model whose last promotion is rolled back; `number` is the decision that the viewer saw."""

    model: str
    number: int


def promote(settings: Settings, request: PromoteRequest) -> str:
    """Make a challenger the champion."""
    return _decided(settings, request, "promote", request.version, request.evidence)


def rollback(settings: Settings, request: RollbackRequest) -> str:
    """Let the champion before serve again."""
    return _decided(settings, request, "rollback")


def _decided(
    settings: Settings,
    request: PromoteRequest | RollbackRequest,
    action: Decision,
    version: str | None = None,
    evidence: dict[str, float] | None = None,
) -> str:
    ledger = Ledger(settings)
    try:
        now = ledger.latest().get(request.model)
        if now is None or now.number != request.number:
            raise ActionError("another decision about this model was made meanwhile: look at it first")
        begin = end(settings.broker)
        made = ledger.decide(request.model, action, version, decided_by=BY, why=request.reason, evidence=evidence)
        return told(made, answer(settings.broker, begin, made, ANSWER_S, FIRST_BARS_S))
    except LedgerError as error:
        raise ActionError(str(error)) from error


def told(made: Deployment, confirmation: Confirmation) -> str:
    """Return the result in a line: the decision, and what a worker said of it."""
    decision, reply = f"decision {made.number} of {made.model}", confirmation.reply
    if reply is None:
        return f"{decision} is recorded; no worker answered within {ANSWER_S:.0f} s: it takes effect when one runs"
    if reply.event == "refused":
        return f"{decision}: a worker refused version {reply.version}: {reply.reason}"
    return f"{decision}: version {made.champion} serves"


ACTIONS = (Action("promote", PromoteRequest, promote), Action("rollback", RollbackRequest, rollback))
