"""From what a user asks for to a subscriber and its secret, with every mistake told before anything is stored."""

from re import fullmatch
from typing import NamedTuple
from urllib.parse import urlsplit

from alerts.apprise_process import Request
from alerts.deliver_apprise import AppriseChannel
from alerts.deliver_redis import CHANNEL
from alerts.deliver_webhook import shown, split
from alerts.guard import RefusedError, checked
from alerts.rule import SEVERITIES
from alerts.secret_file import Secret
from alerts.signature import new_key
from alerts.subscriber import Kind, Subscriber


class Rate(NamedTuple):
    """How many messages a minute, how many at once, and whether the rest goes as summaries."""

    per_minute: float
    burst: int
    summarise: bool


RATES: dict[Kind, Rate] = {
    "apprise": Rate(6, 10, True),  # people read it
    "webhook": Rate(600, 100, False),
    "redis": Rate(1_000_000, 100_000, False),
}


class Wish(NamedTuple):
    """What was asked for: one of the three ways, and which alerts."""

    name: str
    webhook: str | None
    apprise: str | None
    redis: bool
    rules: tuple[str, ...]
    symbols: tuple[str, ...]
    severity: str


async def prepare(
    wish: Wish,
    per_minute: float | None,
    burst: int | None,
    summarise: bool | None,
    known: Secret | None,
    allow_private: bool,
) -> tuple[Subscriber, Secret | None]:
    """Return the subscriber and its secret; a webhook whose address stays keeps its key.

    Raises ValueError, in one line that quotes no secret, for a mistake.
    """
    if not fullmatch(r"[a-z0-9][a-z0-9_-]{0,59}", wish.name):
        raise ValueError(f"name {wish.name!r}: write a name in small letters, digits, - and _, such as team-chat")
    severity = next((one for one in SEVERITIES if one == wish.severity), None)
    if severity is None:
        raise ValueError(f"severity {wish.severity!r} is none of {', '.join(SEVERITIES)}")
    if sum((bool(wish.webhook), bool(wish.apprise), wish.redis)) != 1:
        raise ValueError("one way to a subscriber: --webhook URL, --apprise URL or --redis")
    channel: Kind = "webhook" if wish.webhook else "apprise" if wish.apprise else "redis"
    if wish.webhook:
        target, secret = await _webhook(wish.webhook, known, allow_private)
    elif wish.apprise:
        target, secret = await _apprise(wish.apprise, allow_private)
    else:
        target, secret = CHANNEL, None
    rate = RATES[channel]
    subscriber = Subscriber(
        wish.name,
        channel,
        target,
        wish.rules,
        wish.symbols,
        severity,
        rate.per_minute if per_minute is None else per_minute,
        rate.burst if burst is None else burst,
        rate.summarise if summarise is None else summarise,
    )
    return subscriber, secret


async def _webhook(url: str, known: Secret | None, allow_private: bool) -> tuple[str, Secret]:
    host, port = split(url)
    try:
        await checked(host, port, allow_private)
    except RefusedError as error:
        raise ValueError(str(error)) from None
    kept = known.key if known is not None and known.url == url else None
    return shown(url), Secret(url, kept or new_key())


async def _apprise(url: str, allow_private: bool) -> tuple[str, Secret]:
    process = AppriseChannel(url, allow_private)
    try:
        reply = await process.ask(Request(url))
    finally:
        await process.close()
    if reply is None or not reply.delivered or reply.service is None:
        raise ValueError("apprise cannot read that address: https://github.com/caronc/apprise/wiki has the forms")
    # Where a service keeps its token in its address differs from one to the next: none of it is shown.
    return f"{urlsplit(url).scheme}://… ({reply.service})", Secret(url)
