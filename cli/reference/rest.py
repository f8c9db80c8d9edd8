"""The page of the HTTP API, of its own OpenAPI document."""

import json
from typing import Any

from api.app import make_app
from api.docs import field_type
from api.index import Entry, contents
from cli.reference.markdown import code, head, paragraphs, prose, table
from settings import Settings

HEAD = """
The document itself, for generators of clients: [openapi.json](openapi.json). A running API answers the same at
`/openapi.json`, and shows it at `/docs`. `foretick api` shows its address and the file with this machine's token.
"""


def document() -> dict[str, Any]:
    """Return the OpenAPI document of the API with the default settings."""
    return make_app(Settings.model_construct()).openapi()


def page() -> str:
    """Return the page: the tables and the streams, each with its parameters and fields."""
    made = document()
    all_of_it = contents(made)
    parts = [head("HTTP API", "`api/`"), HEAD, "\n", paragraphs(made["info"]["description"]), "\n"]
    rows: dict[str, None] = {}
    for title, entries in {"Tables": all_of_it.resources, "Streams": all_of_it.streams}.items():
        parts.append(f"\n## {title}\n")
        for entry in entries:
            parts.append(_entry(entry))
            rows[entry.row] = None
    parts.append("\n## Rows\n")
    parts += [_schema(name, made["components"]["schemas"][name]) for name in rows]
    return "".join(parts)


def _entry(entry: Entry) -> str:
    asked = [
        (
            code(one.name),
            one.type.replace("|", "\\|"),
            "required" if one.required else "" if one.default in (None, []) else code(json.dumps(one.default)),
            prose(one.description),
        )
        for one in entry.parameters
    ]
    row = f"[{entry.row}](#{entry.row.lower()})"
    what = f"{paragraphs(entry.description)} Each row is a {row}."
    asked_for = "\n" + table(("parameter", "type", "default", "what it does"), asked) if asked else ""
    return f"\n### GET {entry.path}\n\n{what} As {', '.join(map(code, entry.formats))}.\n{asked_for}"


def _schema(name: str, schema: dict[str, Any]) -> str:
    rows = [
        (code(field), field_type(one).replace("|", "\\|"), prose(one.get("description", "")))
        for field, one in schema["properties"].items()
    ]
    text = paragraphs(schema.get("description", ""))
    return f"\n### {name}\n\n{text}\n\n" + table(("field", "type", "meaning"), rows)
