"""Lists, sets and removes Kafka's users with an admin client.

aiokafka has no such requests; these are Kafka's own (AlterUserScramCredentials and DescribeUserScramCredentials, v0).
"""

import hashlib
import secrets
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactBytes, CompactString, Int8, Int16, Int32, Schema, TaggedFields

SHA_512 = 2
"""Kafka's number of the mechanism SCRAM-SHA-512."""
ITERATIONS = 8_192
_NO_TAGS: dict[int, bytes] = {}
_UNKNOWN_USER = 91
_TAGS = ("tags", TaggedFields)
_TEXT = CompactString("utf-8")


class AlterAnswer(Response):  # type: ignore[misc] # aiokafka has no types
    """The results of the changes."""

    API_KEY, API_VERSION = 51, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(("user", _TEXT), ("code", Int16), ("said", _TEXT), _TAGS),
        ),
        _TAGS,
    )


class AlterStruct(RequestStruct):  # type: ignore[misc] # aiokafka has no types
    """The changes on the wire."""

    FLEXIBLE_VERSION = True
    API_KEY, API_VERSION = 51, 0
    RESPONSE_TYPE = AlterAnswer
    SCHEMA = Schema(
        ("deletions", CompactArray(("name", _TEXT), ("mechanism", Int8), _TAGS)),
        (
            "upsertions",
            CompactArray(
                ("name", _TEXT),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class Alter(Request[AlterStruct]):  # type: ignore[misc] # aiokafka has no types
    """Users to remove and to set."""

    API_KEY = 51

    def __init__(self, deletions: list[Any], upsertions: list[Any]) -> None:
        self._deletions, self._upsertions = deletions, upsertions

    def build(self, request_struct_class: type[AlterStruct]) -> AlterStruct:
        """Return it in the broker's version."""
        return request_struct_class(self._deletions, self._upsertions, _NO_TAGS)


class DescribeAnswer(Response):  # type: ignore[misc] # aiokafka has no types
    """The users."""

    API_KEY, API_VERSION = 50, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("code", Int16),
        ("said", _TEXT),
        (
            "results",
            CompactArray(
                ("user", _TEXT),
                ("code", Int16),
                ("said", _TEXT),
                ("known", CompactArray(("mechanism", Int8), ("iterations", Int32), _TAGS)),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class DescribeStruct(RequestStruct):  # type: ignore[misc] # aiokafka has no types
    """The request on the wire; None requests all users."""

    FLEXIBLE_VERSION = True
    API_KEY, API_VERSION = 50, 0
    RESPONSE_TYPE = DescribeAnswer
    SCHEMA = Schema(("users", CompactArray(("name", _TEXT), _TAGS)), _TAGS)


class Describe(Request[DescribeStruct]):  # type: ignore[misc] # aiokafka has no types
    """The request for all users."""

    API_KEY = 50

    def build(self, request_struct_class: type[DescribeStruct]) -> DescribeStruct:
        """Return it in the broker's version."""
        return request_struct_class(None, _NO_TAGS)


async def names(admin: AIOKafkaAdminClient) -> list[str]:
    """Return the users. Raises KafkaError if our user has no right to."""
    answer = await admin._send_request(Describe())
    _raise(answer.code, answer.said)
    return sorted(user for user, *_ in answer.results)


async def put(admin: AIOKafkaAdminClient, user: str, password: str) -> None:
    """Set a user's password; a missing user is created. Raises KafkaError."""
    salt = secrets.token_bytes(24)
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    answer = await admin._send_request(Alter([], [(user, SHA_512, ITERATIONS, salt, salted, _NO_TAGS)]))
    for _, code, output, _ in answer.results:
        _raise(code, output)


async def remove(admin: AIOKafkaAdminClient, user: str) -> bool:
    """Remove a user and return whether there was one. Raises KafkaError."""
    answer = await admin._send_request(Alter([(user, SHA_512, _NO_TAGS)], []))
    (_, code, output, _), *_ = answer.results
    if code != _UNKNOWN_USER:
        _raise(code, output)
    return bool(code != _UNKNOWN_USER)


def _raise(code: int, text: str | None) -> None:
    if code:
        raise for_code(code)(text or "")
