"""What can be done about alerts: acknowledge them, mute what made them, and take a mute back."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from msgspec import Meta

from alerts.store import mutes, user_changes
from alerts.subscriber import Mute
from dashboard.actions.action import Action, ActionError, ActionRequest
from dashboard.ops.connection import connected
from settings import Settings


class Acknowledge(ActionRequest):
    """Alerts by their ids; the reason becomes the note."""

    alert_ids: Annotated[list[str], Meta(min_length=1, max_length=500)]


class Muting(ActionRequest):
    """What is not delivered: alerts that match all that is named; `hours` None is until it is taken back."""

    rule: str | None = None
    symbol: str | None = None
    alert_id: str | None = None
    hours: Annotated[float, Meta(gt=0, le=8_784)] | None = None


class Unmuting(ActionRequest):
    """The mutes to end: those that name all of that."""

    rule: str | None = None
    symbol: str | None = None
    alert_id: str | None = None


def acknowledge(settings: Settings, request: Acknowledge) -> str:
    """Record that these alerts were seen."""
    with connected(settings) as connection:
        unknown = user_changes.acknowledge(connection, request.alert_ids, request.reason)
    known = len(request.alert_ids) - len(unknown)
    if not known:
        raise ActionError(f"there is no alert {unknown[0]}")
    return f"{known} acknowledged" + (f", {len(unknown)} are unknown" if unknown else "")


def mute(settings: Settings, request: Muting) -> str:
    """Suppress deliveries."""
    what = _named(request)
    until = None if request.hours is None else datetime.now(UTC) + timedelta(hours=request.hours)
    with connected(settings) as connection:
        try:
            ended = mutes.mute(connection, what, until)
        except ValueError as error:
            raise ActionError(str(error)) from None
    end = "until it is taken back" if until is None else f"until {until:%d %b %Y %H:%M} UTC"
    return f"muted {end}; {ended} waiting deliveries ended"


def unmute(settings: Settings, request: Unmuting) -> str:
    """End mutes."""
    with connected(settings) as connection:
        ended = mutes.unmute(connection, _named(request))
    if not ended:
        raise ActionError("there is no such mute any more")
    return f"{ended} taken back"


def _named(request: Muting | Unmuting) -> Mute:
    what = Mute(request.rule, request.symbol, request.alert_id)
    if what == Mute():
        raise ActionError("name a rule, a symbol or an alert")
    return what


ALERT_ACTIONS = (
    Action("alerts-acknowledge", Acknowledge, acknowledge),
    Action("alerts-mute", Muting, mute),
    Action("alerts-unmute", Unmuting, unmute),
)
