"""The ways to deliver alerts: a line each, with what `foretick alerts subscribe` says of it.

Nothing is imported before it is opened: httpx and redis take a part of a second. A migration lets the table
`alert_subscribers` have the name.
"""

from collections.abc import Awaitable, Callable
from pkgutil import resolve_name
from typing import Literal, NamedTuple

from alerts.channel import Channel
from alerts.store.secret_file import Secret
from settings import Settings

Prepare = Callable[[str, Secret | None, bool], Awaitable[tuple[str, Secret | None]]]
"""From an address, the secret that the subscriber has, and whether private addresses are allowed, to what may be shown
of it and the secret to keep. Raises ValueError, or PrivateError, in a line that quotes no secret.
"""
Open = Callable[[Secret | None, Settings], Channel]


class Rate(NamedTuple):
    """How many messages a minute, how many at once, and whether the rest goes as summaries."""

    per_minute: float
    burst: int
    summarise: bool


class ChannelKind(NamedTuple):
    """A way to deliver: the functions that are in its file, and its rate where no other is asked for."""

    prepare: Prepare
    open: Open
    rate: Rate


class ChannelEntry(NamedTuple):
    """What is known of a way before its file is imported: where its `ChannelKind` is, as module:name, and its help.

    `goes_by` is the setting that the command and the worker must have alike; one that goes by ``home`` has an address,
    which is kept there.
    """

    place: str
    help: str
    goes_by: Literal["home", "redis"] = "home"

    @property
    def kind(self) -> ChannelKind:
        """Return what is in its file."""
        kind: ChannelKind = resolve_name(self.place)
        return kind

    @property
    def addressed(self) -> bool:
        """Whether a subscriber gives an address."""
        return self.goes_by == "home"


CHANNELS = {
    "webhook": ChannelEntry(
        "alerts.delivery.deliver_webhook:KIND", "An address that takes signed POSTs; - reads it from stdin."
    ),
    "apprise": ChannelEntry(
        "alerts.delivery.deliver_apprise:KIND",
        "An apprise URL: mailto://, tgram://, slack://, discord://...; - reads stdin.",
    ),
    "redis": ChannelEntry(
        "alerts.delivery.deliver_redis:KIND", "Redis pub/sub on foretick:alerts; there from the start.", "redis"
    ),
}
