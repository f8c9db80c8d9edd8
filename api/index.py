"""The index of the API, ``/v1``, derived from the OpenAPI document."""

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from api.formats import MEDIA

router = APIRouter(tags=["contents"])
STREAMED_AS = ["text/event-stream", "websocket"]


class Parameter(BaseModel):
    """A parameter of a resource or a stream."""

    name: str
    required: bool
    type: str = Field(examples=["string"])
    default: Any = None
    description: str


class Entry(BaseModel):
    """A resource or a stream: its path and parameters."""

    name: str
    path: str
    description: str
    row: str = Field(description="the schema of one row or record, in the OpenAPI document")
    formats: list[str]
    parameters: list[Parameter]


class Link(BaseModel):
    """Another address, by its relation (RFC 8631)."""

    rel: str
    href: str


class Contents(BaseModel):
    """The content of /v1."""

    title: str
    version: str
    resources: list[Entry]
    streams: list[Entry]
    links: list[Link]


LINKS = [
    Link(rel="self", href="/v1"),
    Link(rel="service-doc", href="/docs"),
    Link(rel="service-desc", href="/openapi.json"),
    Link(rel="status", href="/health"),
]


def kind(schema: dict[str, Any]) -> str:
    """Return the type of a parameter in words.

    >>> kind({"anyOf": [{"type": "integer"}, {"type": "null"}]}), kind({"enum": ["asc", "desc"], "type": "string"})
    ('integer', 'asc | desc')
    >>> kind({"type": "array", "items": {"type": "string"}})
    'string, several'
    """
    if "anyOf" in schema:
        return " | ".join(kind(part) for part in schema["anyOf"] if part.get("type") != "null")
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"{kind(schema['items'])}, several"
    return str(schema.get("type", "string"))


def parameters(operation: dict[str, Any]) -> Iterator[Parameter]:
    """Yield the parameters, required ones first."""
    for one in sorted(operation.get("parameters", ()), key=lambda one: not one.get("required", False)):
        schema = one["schema"]
        output = (
            one.get("description")
            or schema.get("description")
            or next((part["description"] for part in schema.get("anyOf", ()) if "description" in part), "")
        )
        yield Parameter(
            name=one["name"],
            required=one.get("required", False),
            type=kind(schema),
            default=schema.get("default"),
            description=output,
        )


def contents(document: dict[str, Any]) -> Contents:
    """Return the paths of an OpenAPI document under /v1, in its order."""
    resources: list[Entry] = []
    streams: list[Entry] = []
    for path, methods in document["paths"].items():
        operation = methods.get("get", {})
        row = operation.get("x-row") or operation.get("x-record")
        if row is None:
            continue
        streamed = "x-record" in operation
        entry = Entry(
            name=path.removeprefix("/v1/stream/" if streamed else "/v1/"),
            path=path,
            description=operation["description"],
            row=row,
            formats=STREAMED_AS if streamed else list(MEDIA.values()),
            parameters=list(parameters(operation)),
        )
        (streams if streamed else resources).append(entry)
    info = document["info"]
    return Contents(title=info["title"], version=info["version"], resources=resources, streams=streams, links=LINKS)


@router.get("/v1")
def list_contents(request: Request) -> Contents:
    """All resources, their parameters, streams, and links to the documentation; no token is needed."""
    return contents(request.app.openapi())
