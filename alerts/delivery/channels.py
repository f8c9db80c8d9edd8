"""How a subscriber's channel is opened."""

from alerts.channel import Channel, DeliveryResult, Message
from alerts.channel_table import CHANNELS
from alerts.store.secret_file import FILE, Secret
from alerts.subscriber import Subscriber
from settings import Settings


class Unreachable:
    """A channel whose address is unknown here; its messages wait."""

    at_once = 1

    def __init__(self, why: str) -> None:
        self._why = why

    async def send(self, message: Message) -> DeliveryResult:  # noqa: ARG002 - as every channel
        """Return the reason."""
        return DeliveryResult(self._why)

    async def close(self) -> None:
        """Nothing is open."""


def open_channel(subscriber: Subscriber, secret: Secret | None, settings: Settings) -> Channel:
    """Return the channel of a subscriber."""
    entry = CHANNELS[subscriber.channel]
    if entry.addressed and secret is None:
        return Unreachable(f"its address is not in {FILE} of the worker's machine: subscribe it there again")
    return entry.kind.open(secret, settings)
