"""How records are sent to Kafka: by the replay, and by the worker."""

from typing import Any

import aiokafka.codec

from broker import clients
from broker.interface import Clients, ProducerClient
from settings.broker import Address
from topics.catalog import MAX_MESSAGE_BYTES

ZSTD_LEVEL = 1
"""On frames of JSON half of the work of zstd's usual level 3, and fewer bytes: see docs/why.md."""

# aiokafka has no setting for the level: it calls this function without one, and takes 3 where there is none.
aiokafka.codec.zstd_encode.__defaults__ = (ZSTD_LEVEL,)


def producer(bootstrap: Address | Clients, **settings: Any) -> ProducerClient:
    """Return a producer whose records count once all replicas have them, and which repeats none."""
    return clients.producer(
        bootstrap,
        acks="all",
        enable_idempotence=True,
        compression_type="zstd",  # gzip, which is always there, costs more than all else together
        max_request_size=MAX_MESSAGE_BYTES,
        **settings,
    )
