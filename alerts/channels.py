"""The channels by their names, and how each is opened."""

from alerts.channel import Answer, Channel, Message
from alerts.deliver_apprise import AppriseChannel
from alerts.deliver_redis import RedisChannel
from alerts.deliver_webhook import Webhook
from alerts.secret_file import FILE, Secret
from alerts.subscriber import Subscriber
from settings import Settings


class Unreachable:
    """A channel whose address is not known here; its messages wait."""

    at_once = 1

    def __init__(self, why: str) -> None:
        self._why = why

    async def send(self, message: Message) -> Answer:  # noqa: ARG002 - as every channel
        """Say why not."""
        return Answer(self._why)

    async def close(self) -> None:
        """Nothing is open."""


def open_channel(subscriber: Subscriber, secret: Secret | None, settings: Settings) -> Channel:
    """Return the channel of a subscriber."""
    if subscriber.channel == "redis":
        return RedisChannel(settings.redis_url.get_secret_value())
    if secret is None:
        return Unreachable(f"its address is not in {FILE} of the worker's machine: subscribe it there again")
    if subscriber.channel == "apprise":
        return AppriseChannel(secret.url, settings.alerts_allow_private)
    return Webhook(secret.url, secret.key or "", settings.alerts_allow_private)
