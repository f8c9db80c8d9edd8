"""What programs may do on our Kafka: whoever comes in by the open listener, and each user of theirs, alike.

The stack's own user is above these rules. For clusters of somebody else's see docs/kafka.md.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest_v1
from aiokafka.protocol.api import Request

from topics.catalog import GROUP_PREFIX, TOPICS

ANYBODY = "User:*"
"""Every user, ANONYMOUS too."""


class Resource(IntEnum):
    """Kafka's numbers."""

    TOPIC, GROUP, TRANSACTIONAL_ID = 2, 3, 5


class Operation(IntEnum):
    """Kafka's numbers."""

    READ, WRITE, DESCRIBE, DESCRIBE_CONFIGS = 3, 4, 8, 10


@dataclass(frozen=True)
class Rule:
    """One rule; `name` is the resource's, ``*`` any, or where it is a `prefix` all that begin with it."""

    resource: Resource
    name: str
    operation: Operation
    allow: bool = True
    prefix: bool = False

    def on_wire(self) -> tuple[Any, ...]:
        """Return the rule as Kafka's CreateAcls, v1, has it."""
        return self.resource, self.name, 4 if self.prefix else 3, ANYBODY, "*", self.operation, 3 if self.allow else 2


RULES = (
    Rule(Resource.TOPIC, "*", Operation.READ),
    Rule(Resource.TOPIC, "*", Operation.DESCRIBE),
    Rule(Resource.TOPIC, "*", Operation.DESCRIBE_CONFIGS),
    *(Rule(Resource.TOPIC, topic.name, Operation.WRITE) for topic in TOPICS if topic.open),
    Rule(Resource.GROUP, "*", Operation.READ),
    Rule(Resource.GROUP, "*", Operation.DESCRIBE),
    Rule(Resource.GROUP, GROUP_PREFIX, Operation.READ, allow=False, prefix=True),
    Rule(Resource.TRANSACTIONAL_ID, "*", Operation.WRITE),
    Rule(Resource.TRANSACTIONAL_ID, "*", Operation.DESCRIBE),
    Rule(Resource.TRANSACTIONAL_ID, GROUP_PREFIX, Operation.WRITE, allow=False, prefix=True),
)


class _Create(Request[CreateAclsRequest_v1]):  # type: ignore[misc]
    """All rules in one request; aiokafka's own takes one."""

    API_KEY = 30

    def build(self, request_struct_class: type[CreateAclsRequest_v1]) -> CreateAclsRequest_v1:
        return request_struct_class([rule.on_wire() for rule in RULES])


async def grant(admin: AIOKafkaAdminClient) -> None:
    """Set the rules; those that are set already stay. Raises KafkaError."""
    answer = await admin._send_request(_Create())
    for code, said in answer.creation_responses:
        if code:
            raise for_code(code)(said or "")
