"""``/docs``: the OpenAPI document as one page, without scripts or external resources."""

import base64
import hashlib
import json
from html import escape
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Request, Response

from api.index import Contents, Entry, contents, kind

router = APIRouter()
STYLE = files("api").joinpath("docs.css").read_text(encoding="utf-8")
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Return a table; its cells are HTML."""
    head = "".join(f"<th scope=col>{escape(one)}</th>" for one in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def code(text: str) -> str:
    """Return a text as code."""
    return f"<code>{escape(text)}</code>"


def prose(text: str) -> str:
    """Return a text whose parts between backticks are code."""
    return "".join(code(part) if place % 2 else escape(part) for place, part in enumerate(text.split("`")))


def columns(schema: dict[str, Any]) -> str:
    """Return the table of a schema's fields."""
    rows = [
        [code(name), escape(field_type(field)), prose(field.get("description", ""))]
        for name, field in schema.get("properties", {}).items()
    ]
    return table(["field", "type", "meaning"], rows)


def field_type(field: dict[str, Any]) -> str:
    """Return a field's type, and whether it may be null."""
    if "$ref" in field:
        return str(field["$ref"]).rsplit("/", 1)[-1]
    null = any(part.get("type") == "null" for part in field.get("anyOf", ()))
    return kind(field) + (" or null" if null else "")


def section(entry: Entry, document: dict[str, Any]) -> str:
    """Return the section of a resource or a stream."""
    asked = [
        [
            code(one.name) + (" <b>required</b>" if one.required else ""),
            escape(one.type),
            "" if one.default in (None, []) else code(json.dumps(one.default)),
            prose(one.description),
        ]
        for one in entry.parameters
    ]
    schemas = document["components"]["schemas"]
    answers = ", ".join(sorted(document["paths"][entry.path]["get"]["responses"]))
    example = json.dumps(schemas[entry.row].get("examples", [None])[0], ensure_ascii=False, indent=1)
    shown = "" if example == "null" else f"<details><summary>an example</summary><pre>{escape(example)}</pre></details>"
    return (
        f'<section id="{escape(entry.path.removeprefix("/v1/"))}"><h3>GET {code(entry.path)}</h3>'
        f"<p>{prose(entry.description)}</p>{table(['parameter', 'type', 'default', 'what it does'], asked)}"
        f"<details><summary>{escape(entry.row)}: its fields</summary>{columns(schemas[entry.row])}</details>{shown}"
        f"<p class=small>{escape(', '.join(entry.formats))} · answers {escape(answers)}</p></section>"
    )


def page(document: dict[str, Any]) -> str:
    """Return the page of a document."""
    result: Contents = contents(document)
    of = {"Tables": result.resources, "Streams": result.streams}
    listed = "".join(
        f"<h2>{name}</h2><ul>"
        + "".join(
            f'<li><a href="#{escape(one.path.removeprefix("/v1/"))}">{escape(one.name)}</a></li>' for one in entries
        )
        + "</ul>"
        for name, entries in of.items()
    )
    parts = "".join(
        f"<h2>{name}</h2>" + "".join(section(one, document) for one in entries) for name, entries in of.items()
    )
    text = "".join(f"<p>{prose(part)}</p>" for part in document["info"]["description"].strip().split("\n\n"))
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{escape(result.title)} API</title><style>{STYLE}</style><nav>{listed}</nav><main>"
        f"<h1>{escape(result.title)} API <small>{escape(result.version)}</small></h1>{text}{ASK}{parts}</main></html>"
    )


ASK = """<p>Every request but those of <a href="/v1">/v1</a>, <a href="/openapi.json">/openapi.json</a> and
<a href="/health">/health</a> carries a token: <code>foretick api</code> shows this machine's file, <code>foretick api
token create NAME</code> creates one.</p> <pre>curl -H "Authorization: Bearer $TOKEN"
"$ADDRESS/v1/predictions/latest?symbol=BTC/USDT" curl -N -H "Authorization: Bearer $TOKEN"
"$ADDRESS/v1/stream/predictions?symbol=BTCUSDT"</pre>"""


@router.get("/docs", include_in_schema=False)
def docs(request: Request) -> Response:
    """Show the page."""
    return Response(page(request.app.openapi()), media_type="text/html", headers={"Content-Security-Policy": POLICY})
