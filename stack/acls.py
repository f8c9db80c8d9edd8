"""The ACLs of our Kafka: the same for the open listener and for each program's user.

The stack's own user is exempt here; `STACK_RULES` are its rights on a cluster that exempts nobody (docs/kafka.md).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest_v1
from aiokafka.protocol.api import Request

from topics.catalog import GROUP_PREFIX, TOPICS, WORKER_GROUP

ANYBODY = "User:*"
"""Every user, ANONYMOUS too."""


class Resource(IntEnum):
    """Kafka's numbers."""

    TOPIC, GROUP, TRANSACTIONAL_ID = 2, 3, 5


class Operation(IntEnum):
    """Kafka's numbers."""

    READ, WRITE, DESCRIBE, DESCRIBE_CONFIGS = 3, 4, 8, 10


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule; `name` is the resource's, ``*`` any, or if it is a `prefix`, all that begin with it."""

    resource: Resource
    name: str
    operation: Operation
    allow: bool = True
    prefix: bool = False

    def on_wire(self) -> tuple[Any, ...]:
        """Return the rule in the format of Kafka's CreateAcls, v1."""
        return self.resource, self.name, 4 if self.prefix else 3, ANYBODY, "*", self.operation, 3 if self.allow else 2


RULES = (
    Rule(resource=Resource.TOPIC, name="*", operation=Operation.READ),
    Rule(resource=Resource.TOPIC, name="*", operation=Operation.DESCRIBE),
    Rule(resource=Resource.TOPIC, name="*", operation=Operation.DESCRIBE_CONFIGS),
    *(Rule(resource=Resource.TOPIC, name=topic.name, operation=Operation.WRITE) for topic in TOPICS if topic.open),
    Rule(resource=Resource.GROUP, name="*", operation=Operation.READ),
    Rule(resource=Resource.GROUP, name="*", operation=Operation.DESCRIBE),
    Rule(resource=Resource.GROUP, name=GROUP_PREFIX, operation=Operation.READ, allow=False, prefix=True),
    Rule(resource=Resource.TRANSACTIONAL_ID, name="*", operation=Operation.WRITE),
    Rule(resource=Resource.TRANSACTIONAL_ID, name="*", operation=Operation.DESCRIBE),
    Rule(resource=Resource.TRANSACTIONAL_ID, name=GROUP_PREFIX, operation=Operation.WRITE, allow=False, prefix=True),
)

STACK_RULES = (
    *(
        Rule(resource=Resource.TOPIC, name=name, operation=operation, prefix=prefix)
        for name, prefix in (*((topic.name, False) for topic in TOPICS), (f"{WORKER_GROUP}-", True))
        for operation in (Operation.READ, Operation.WRITE, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS)
    ),
    Rule(resource=Resource.GROUP, name=GROUP_PREFIX, operation=Operation.READ, prefix=True),
    Rule(resource=Resource.GROUP, name=GROUP_PREFIX, operation=Operation.DESCRIBE, prefix=True),
)
"""What the stack does where its topics are made for it: no right to create or to configure."""


class _Create(Request[CreateAclsRequest_v1]):  # type: ignore[misc] # aiokafka has no types
    """All rules in one request; aiokafka's own takes one."""

    API_KEY = 30

    def build(self, request_struct_class: type[CreateAclsRequest_v1]) -> CreateAclsRequest_v1:
        return request_struct_class([rule.on_wire() for rule in RULES])


async def grant(admin: AIOKafkaAdminClient) -> None:
    """Set the rules; existing ones are kept. Raises KafkaError."""
    answer = await admin._send_request(_Create())
    for code, output in answer.creation_responses:
        if code:
            raise for_code(code)(output or "")
