"""The page of the topics: what is on each, who may write it, and every field with its limits."""

from typing import Any

import msgspec
from msgspec import Struct

from cli.reference.markdown import code, head, paragraphs, prose, table
from topics.catalog import TOPICS, Topic
from topics.codec import ARRIVED_HEADER, TRACE_HEADER, VERSION, VERSION_HEADER
from topics.records import RECORDS, Forecast
from topics.retention import TOPIC_DAYS, said

TEMPLATE = "#/components/schemas/{name}"
HEAD = f"""
A Kafka value is a *frame*: one record as a JSON object, or an array of records of one key, in time order. Times are
epoch milliseconds, UTC; returns are log returns; unknown is null, and a field that has its default may be left out.
The header `{VERSION_HEADER}` is `{VERSION.decode()}`; `{ARRIVED_HEADER}` is when the tick or bar behind the record was
appended to its topic; `{TRACE_HEADER}`, if that is traced, the span that made the record (W3C Trace Context). A value
beyond a field's limits becomes a dead letter.

The same as an AsyncAPI 3 document, with the JSON Schema of each record: [asyncapi.json](asyncapi.json).
`foretick topics schema NAME` prints one, `foretick topics tail NAME` shows records.

"""
LIMITS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "minLength": "length ≥ {}",
    "maxLength": "length ≤ {}",
    "maxItems": "values ≤ {}",
    "maxProperties": "names ≤ {}",
}


def page() -> str:
    """Return the page."""
    rows = [_row(topic) for topic in TOPICS]
    heads = ("topic", "record", "key", "partitions", "kept", "any program may write it")
    place = RECORDS.index(_predictions())
    records: list[type[Struct]] = [*RECORDS[:place], Forecast, *RECORDS[place:]]
    made = schemas()
    sections = [_section(record, made[record.__name__]) for record in records]
    return head("Topics", "`topics/`") + HEAD + table(heads, rows) + "".join(sections)


def schemas() -> dict[str, Any]:
    """Return the JSON Schema of each record by its name, with the references of an API document."""
    _, components = msgspec.json.schema_components([topic.record for topic in TOPICS], ref_template=TEMPLATE)
    for one in components.values():
        one["description"] = paragraphs(one["description"])
    return components


def _predictions() -> type[Struct]:
    return next(topic.record for topic in TOPICS if topic.name == "predictions")


def _row(topic: Topic) -> tuple[str, ...]:
    record = topic.record.__name__
    kept = "the newest of each key" if topic.compacted else said(TOPIC_DAYS[topic.name])
    return (
        *(code(topic.name), f"[{record}](#{record.lower()})", code(topic.key), str(topic.partitions), kept),
        "yes" if topic.open else "",
    )


def _section(record: type[Struct], schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    rows = [
        (code(name), kind(field), limits(field), _default(name, field, required), prose(field.get("description", "")))
        for name, field in schema["properties"].items()
    ]
    of = [code(topic.name) for topic in TOPICS if topic.record is record]
    where = f"On {', '.join(of)}. " if of else "A part of other records. "
    return f"\n## {record.__name__}\n\n{where}{schema['description']}\n\n" + table(
        ("field", "type", "limits", "default", "what it is"), rows
    )


def _default(name: str, field: dict[str, Any], required: Any) -> str:
    if name in required:
        return "required"
    value = field.get("default")
    return "null" if value is None else code(str(value).lower() if isinstance(value, bool) else f"{value!r}")


def kind(field: dict[str, Any]) -> str:
    """Return the type of a field in words.

    >>> kind({"anyOf": [{"type": "integer"}, {"type": "null"}]}), kind({"enum": ["buy", "sell"]})
    ('integer or null', '`buy`, `sell`')
    """
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(kind(part) for part in field["anyOf"]))
    if "enum" in field:
        return ", ".join("null" if one is None else code(one) for one in field["enum"])
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if field.get("type") == "array":
        return f"array of {kind(field['items'])}"
    if field.get("type") == "object":
        return f"object of {kind(field['additionalProperties'])}"
    return str(field["type"])


def limits(field: dict[str, Any]) -> str:
    """Return the limits of a field in words, without its pattern.

    >>> limits({"type": "string", "minLength": 1, "maxLength": 64}), limits({"anyOf": [{"minimum": 0}, {}]})
    ('length ≥ 1, length ≤ 64', '≥ 0')
    """
    parts = [field, *field.get("anyOf", ())]
    return ", ".join(text.format(_number(one[key])) for one in parts for key, text in LIMITS.items() if key in one)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
