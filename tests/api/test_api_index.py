"""What the API has is listed at /v1 and shown at /docs, with nothing from elsewhere and no script."""

import base64
import hashlib
import re

import httpx
import pytest
from api_market import Api

from api.app import make_app
from api.docs import page
from settings import Settings

DOCUMENT = make_app(Settings()).openapi()
TABLES = [path for path, methods in DOCUMENT["paths"].items() if "x-row" in methods.get("get", {})]
STREAMS = [path for path, methods in DOCUMENT["paths"].items() if "x-record" in methods.get("get", {})]


@pytest.mark.services
def test_every_table_and_stream_is_listed_with_what_it_is_asked(api: Api):
    result = httpx.get(f"{api.address}/v1").json()
    assert [one["path"] for one in result["resources"]] == TABLES
    assert [one["path"] for one in result["streams"]] == STREAMS
    assert len(TABLES) == 12
    for one in (*result["resources"], *result["streams"]):
        asked = DOCUMENT["paths"][one["path"]]["get"]["parameters"]
        assert {p["name"]: p["required"] for p in one["parameters"]} == {
            p["name"]: p.get("required", False) for p in asked
        }
        assert one["row"] in DOCUMENT["components"]["schemas"]
    limits = {one["name"]: p for one in result["resources"] for p in one["parameters"] if p["name"] == "limit"}
    assert (limits["bars"]["default"], limits["features"]["type"]) == (1000, "integer")
    links = {one["rel"]: one["href"] for one in result["links"]}
    assert links == {"self": "/v1", "service-doc": "/docs", "service-desc": "/openapi.json", "status": "/health"}
    assert all(httpx.get(api.address + href).status_code == 200 for href in links.values())


@pytest.mark.services
def test_the_page_needs_nothing_but_itself(api: Api):
    answer = httpx.get(f"{api.address}/docs")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert answer.headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert not re.findall(r"<script|<link|<img|<iframe|style=|url\(|@import|https?://", answer.text)
    assert set(re.findall(r'href="([^#"]+)"', answer.text)) == {"/v1", "/openapi.json", "/health"}
    for path in (*TABLES, *STREAMS):
        assert f"GET <code>{path}</code>" in answer.text
    places = re.findall(r'href="#([^"]+)"', answer.text)
    assert len(places) == len(set(places)) == len(TABLES) + len(STREAMS)
    assert all(f'<section id="{place}">' in answer.text for place in places)


def test_what_the_document_says_is_shown_as_text():
    output = DOCUMENT | {"info": {"title": "<b>&", "version": "1", "description": "<script>alert(1)</script> `code`"}}
    shown = page(output)
    assert "<title>&lt;b&gt;&amp; API</title>" in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt; <code>code</code>" in shown
