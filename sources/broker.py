"""The clients of Kafka: every one in the project is made here, so that each goes there as the user that is set."""

from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from settings.broker import Address, at
from sources import fetched

fetched.install()


def consumer(address: Address, *topics: str, **options: Any) -> AIOKafkaConsumer:
    """Return a consumer of topics, not yet started; `options` are aiokafka's."""
    return AIOKafkaConsumer(*topics, **at(address).client(), **options)


def producer(address: Address, **options: Any) -> AIOKafkaProducer:
    """Return a producer with aiokafka's defaults, not yet started: `sources.producer` has one for records."""
    return AIOKafkaProducer(**at(address).client(), **options)


def admin(address: Address, **options: Any) -> AIOKafkaAdminClient:
    """Return an admin client, not yet started."""
    return AIOKafkaAdminClient(**at(address).client(), **options)
