"""The AsyncAPI 3 document of the topics: https://www.asyncapi.com/docs/reference/specification/v3.0.0."""

from typing import Any

from cli.reference.markdown import paragraphs
from cli.reference.topics import schemas
from settings.version import package_version
from topics.catalog import TOPICS, Topic
from topics.codec import VERSION, VERSION_HEADER

DESCRIPTION = """Any program may receive every topic, and send to those of data: ticks, bars, features and predictions.
A value is one record, or an array of records of one key, in time order."""
SERVERS = {
    "open": {
        "host": "127.0.0.1:9092",
        "protocol": "kafka",
        "description": "The open listener that `foretick up` starts on loopback; its port is in `foretick status`.",
    },
    "authenticated": {
        "host": "127.0.0.1:9094",
        "protocol": "kafka",
        "description": "For users that `foretick topics credentials NAME` makes.",
        "security": [{"type": "scramSha512"}],
    },
}


def document() -> dict[str, Any]:
    """Return the document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Foretick",
            "version": package_version(),
            "description": " ".join(DESCRIPTION.split()),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": SERVERS,
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {name: one for topic in TOPICS for name, one in _operations(topic)},
        "components": {"messages": {topic.name: _message(topic) for topic in TOPICS}, "schemas": schemas()},
    }


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": paragraphs(topic.record.__doc__ or "").partition("\n")[0],
        "messages": {"frame": {"$ref": f"#/components/messages/{topic.name}"}},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["compact" if topic.compacted else "delete"],
                    "retention.ms": topic.retention_ms,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operations(topic: Topic) -> list[tuple[str, dict[str, Any]]]:
    """Return what a program may do with a topic. In AsyncAPI 3 the action is that of the described application."""
    channel = {"channel": {"$ref": f"#/channels/{topic.name}"}}
    messages = {"messages": [{"$ref": f"#/channels/{topic.name}/messages/frame"}]}
    actions = ["receive", "send"] if topic.open else ["receive"]
    return [(f"{action}-{topic.name}", {"action": action, **channel, **messages}) for action in actions]


def _message(topic: Topic) -> dict[str, Any]:
    record = {"$ref": f"#/components/schemas/{topic.record.__name__}"}
    return {
        "name": topic.record.__name__,
        "contentType": "application/json",
        "headers": {"type": "object", "properties": {VERSION_HEADER: {"const": VERSION.decode()}}},
        "payload": {"anyOf": [record, {"type": "array", "items": record, "minItems": 1}]},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": f"the field {topic.key} of the records"},
                "bindingVersion": "0.5.0",
            }
        },
    }
