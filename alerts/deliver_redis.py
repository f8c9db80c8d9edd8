"""Redis pub/sub: each alert as JSON on ``foretick:alerts`` and on ``foretick:alerts:SYMBOL``."""

import redis.asyncio as redis
from redis.exceptions import RedisError

from alerts.channel import Answer, Message
from topics.codec import encode_one

CHANNEL = "foretick:alerts"
ANSWER_S = 5.0
"""A server that hangs counts as one that is away: what it did not take is tried again, and told."""


class RedisChannel:
    """Publishes; whoever listens gets it, and who listens later does not."""

    at_once = 500

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S)

    async def send(self, message: Message) -> Answer:
        """Publish each alert of the message."""
        try:
            async with self._client.pipeline(transaction=False) as pipeline:
                for alert in message.alerts:
                    text = encode_one(alert)
                    pipeline.publish(CHANNEL, text)
                    pipeline.publish(f"{CHANNEL}:{alert.symbol}", text)
                await pipeline.execute()
        except (RedisError, OSError) as error:
            return Answer(f"Redis did not take it ({type(error).__name__})")
        return Answer()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
