"""Generates Strimzi's resources of topics and users from the catalog and the ACLs: `python -m stack.kubernetes`.

With them the stack needs no right to create a topic: the Topic Operator has made each before `stack.prepare` looks.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path

from broker.admin import CHANGELOG, STATES, changelog
from settings import ROOT
from stack.acls import RULES, STACK_RULES, Operation, Resource, Rule
from stack.kafka_config import USER
from topics.catalog import TOPICS

FOLDER = ROOT / "docker" / "kubernetes"
TOPICS_FILE = FOLDER / "components" / "strimzi" / "topics.yaml"
USERS_FILE = FOLDER / "components" / "strimzi" / "users.yaml"
CLUSTER = "foretick"
"""The name of the `Kafka` resource."""
REPLICAS, IN_SYNC = 3, 2
PROGRAM = "program"
"""A user for others: it reads everything and writes data, as every program on this machine may."""
HEAD = "# Written by `python -m stack.kubernetes`.\n"
KINDS = {Resource.TOPIC: "topic", Resource.GROUP: "group", Resource.TRANSACTIONAL_ID: "transactionalId"}
OPERATIONS = {
    Operation.READ: "Read",
    Operation.WRITE: "Write",
    Operation.DESCRIBE: "Describe",
    Operation.DESCRIBE_CONFIGS: "DescribeConfigs",
}


def topics() -> str:
    """Return the topics of the catalog and the changelogs of the worker's states."""
    parts = [_topic(topic.name, topic.partitions, topic.config()) for topic in TOPICS]
    parts += [_topic(changelog(state), source.partitions, CHANGELOG) for state, source in STATES.items()]
    return HEAD + "---\n".join(parts)


def users() -> str:
    """Return the stack's user and one for other programs."""
    return HEAD + "---\n".join([_user(USER, STACK_RULES), _user(PROGRAM, RULES)])


def files() -> dict[Path, str]:
    """Return the content of each file."""
    return {TOPICS_FILE: topics(), USERS_FILE: users()}


def _resource(kind: str, name: str) -> list[str]:
    return [
        "apiVersion: kafka.strimzi.io/v1",
        f"kind: {kind}",
        f"metadata: {{ name: {name}, labels: {{ strimzi.io/cluster: {CLUSTER} }} }}",
        "spec:",
    ]


def _topic(name: str, partitions: int, config: Mapping[str, str]) -> str:
    settings = {**config, "min.insync.replicas": str(IN_SYNC)}
    lines = [*_resource("KafkaTopic", name), f"  partitions: {partitions}", f"  replicas: {REPLICAS}", "  config:"]
    return _text([*lines, *(f"    {key}: {_value(value)}" for key, value in settings.items())])


def _value(text: str) -> str:
    return str(int(text)) if text.lstrip("-").isdigit() else text


def _user(name: str, rules: Iterable[Rule]) -> str:
    lines = [
        *_resource("KafkaUser", name),
        "  authentication: { type: scram-sha-512 }",
        "  authorization:",
        "    type: simple",
        "    acls:",
    ]
    return _text([*lines, *_acls(rules)])


def _acls(rules: Iterable[Rule]) -> Iterator[str]:
    """Yield the lines of the rules; neighbours that differ in the operation alone are one."""
    for (resource, name, prefix, allow), same in groupby(
        rules, lambda one: (one.resource, one.name, one.prefix, one.allow)
    ):
        operations = ", ".join(OPERATIONS[rule.operation] for rule in same)
        pattern = "prefix" if prefix else "literal"
        named = f"type: {KINDS[resource]}, name: {json.dumps(name)}, patternType: {pattern}"
        yield f"      - type: {'allow' if allow else 'deny'}"
        yield f"        resource: {{ {named} }}"
        yield f"        operations: [{operations}]"


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
