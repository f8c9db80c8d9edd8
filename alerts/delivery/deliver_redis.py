"""Redis pub/sub: each alert as JSON on ``foretick:alerts`` and on ``foretick:alerts:SYMBOL``."""

import redis.asyncio as redis
from redis.exceptions import RedisError

from alerts.channel import DeliveryResult, Message
from alerts.channel_table import ChannelKind, Rate
from alerts.store.secret_file import Secret
from settings import Settings
from topics.codec import encode_one

CHANNEL = "foretick:alerts"
ANSWER_S = 5.0
"""A server that hangs counts as away: the delivery is retried, and the error shown."""


class RedisChannel:
    """Publishes to present listeners only."""

    at_once = 500

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S)

    async def send(self, message: Message) -> DeliveryResult:
        """Publish each alert of the message."""
        try:
            async with self._client.pipeline(transaction=False) as pipeline:
                for alert in message.alerts:
                    text = encode_one(alert)
                    pipeline.publish(CHANNEL, text)
                    pipeline.publish(f"{CHANNEL}:{alert.symbol}", text)
                await pipeline.execute()
        except (RedisError, OSError) as error:
            return DeliveryResult(f"Redis did not accept it ({type(error).__name__})")
        return DeliveryResult()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


async def prepare(address: str, known: Secret | None, allow_private: bool) -> tuple[str, None]:  # noqa: ARG001 - see `Prepare`
    """Return what alerts are published on; there is no secret."""
    return CHANNEL, None


def open_redis(secret: Secret | None, settings: Settings) -> RedisChannel:  # noqa: ARG001 - likewise
    """Return the channel to the stack's Redis."""
    return RedisChannel(settings.redis_url.get_secret_value())


KIND = ChannelKind(prepare, open_redis, Rate(1_000_000, 100_000, False))
