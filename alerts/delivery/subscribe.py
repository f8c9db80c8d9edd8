"""Makes a subscriber and its secret of a user's request, and reports every mistake before anything is stored."""

from collections.abc import Mapping
from re import fullmatch
from typing import NamedTuple

from alerts.channel_table import CHANNELS
from alerts.rules.rule import SEVERITIES
from alerts.store.secret_file import Secret
from alerts.subscriber import Subscriber

_FORMS = [f"--{name} URL" if entry.addressed else f"--{name}" for name, entry in CHANNELS.items()]
WAYS = f"{', '.join(_FORMS[:-1])} or {_FORMS[-1]}"


class SubscriptionRequest(NamedTuple):
    """What was asked for: one of the ways of `CHANNELS` with its address, and which alerts."""

    name: str
    ways: Mapping[str, str]
    rules: tuple[str, ...]
    symbols: tuple[str, ...]
    severity: str


async def prepare(
    request: SubscriptionRequest,
    per_minute: float | None,
    burst: int | None,
    summarise: bool | None,
    known: Secret | None,
    allow_private: bool,
) -> tuple[Subscriber, Secret | None]:
    """Return the subscriber and its secret; a webhook with an unchanged address keeps its key.

    Raises ValueError, in one line that quotes no secret, for a mistake; PrivateError if the address is private and that
    is not allowed.
    """
    if not fullmatch(r"[a-z0-9][a-z0-9_-]{0,59}", request.name):
        raise ValueError(f"name {request.name!r}: write a name in small letters, digits, - and _, such as team-chat")
    severity = next((one for one in SEVERITIES if one == request.severity), None)
    if severity is None:
        raise ValueError(f"severity {request.severity!r} is none of {', '.join(SEVERITIES)}")
    if len(request.ways) != 1:
        raise ValueError(f"one way to a subscriber: {WAYS}")
    ((channel, address),) = request.ways.items()
    kind = CHANNELS[channel].kind
    target, secret = await kind.prepare(address, known, allow_private)
    rate = kind.rate
    subscriber = Subscriber(
        name=request.name,
        channel=channel,
        target=target,
        rules=request.rules,
        symbols=request.symbols,
        severity=severity,
        per_minute=rate.per_minute if per_minute is None else per_minute,
        burst=rate.burst if burst is None else burst,
        summarise=rate.summarise if summarise is None else summarise,
    )
    return subscriber, secret
