"""Whatever is asked wrongly is told in one line, as a problem."""

from typing import Any

import httpx
import pytest
from api_market import Api

from api.tokens import Tokens

pytestmark = pytest.mark.services


@pytest.mark.parametrize(
    ("path", "asked", "said_of"),
    [
        ("predictions", {}, "symbol"),
        ("predictions", {"symbol": "btc usdt"}, "symbol"),
        ("predictions", {"symbol": "BTCUSDT", "interval": "1minute"}, "interval"),
        ("predictions", {"symbol": "BTCUSDT", "symbl": "x"}, "symbl"),
        ("predictions", {"symbol": "BTCUSDT", "limit": "10001"}, "limit"),
        ("predictions", {"symbol": "BTCUSDT", "limit": "0"}, "limit"),
        ("predictions", {"symbol": "BTCUSDT", "from": "yesterday"}, "from"),
        ("predictions", {"symbol": "BTCUSDT", "cursor": "abc"}, "cursor"),
        ("predictions", {"symbol": "BTCUSDT", "cursor": "WyJyZWdpbWVzIiwiYXNjIixbMV1d"}, "cursor"),
        ("skill", {"symbol": "BTCUSDT", "interval": "tick-500"}, "not cut by time"),
        ("skill", {"symbol": "BTCUSDT", "interval": "999999999d"}, "1000 years"),
        ("skill", {"symbol": "BTCUSDT", "interval": "30d", "bucket": "500"}, "1000 years"),
        ("symbols", {"no\nsuch\x1b": "1"}, "no such : there is no such parameter"),
        ("symbols", {"x" * 3_000: "1"}, "there is no such parameter"),
        ("alerts", {"symbol": ["BTCUSDT", "ETHUSDT"]}, "symbol: given 2 times"),
        ("alerts", {"from": "2026-01-01", "to": "2025-01-01"}, "to: lies before `from`"),
        ("alerts", {"acknowledged": "maybe"}, "acknowledged"),
        ("gaps", {"venue": ""}, "venue"),
        ("stream/gaps", {"venue": ""}, "venue"),
        ("stream/alerts", {"severity": "bad"}, "severity"),
        ("stream/alerts", {"last_id": ["alerts.0-1-0", "alerts.0-2-0"]}, "last_id: given 2 times"),
    ],
)
def test_a_mistake_is_told_in_one_line(api: Api, path: str, asked: dict[str, Any], said_of: str):
    with api.client() as client:
        response = client.get(f"/v1/{path}", params=asked)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == 422
    assert said_of in problem["detail"]
    assert problem["detail"].isprintable()
    assert len(problem["detail"]) < 500


def test_a_format_that_nobody_has_is_refused(api: Api):
    with api.client() as client:
        assert client.get("/v1/symbols", headers={"Accept": "text/html"}).status_code == 406
        best = client.get("/v1/symbols", headers={"Accept": "text/csv;q=0.4, application/json;q=0.5"})
    assert best.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/nowhere", 404, "unknown path; /v1 lists all paths, /docs shows them"),
        ("GET", "/v1/alerts/", 404, "unknown path; /v1 lists all paths, /docs shows them"),
        ("POST", "/v1/alerts", 405, "method not allowed; the header Allow lists the allowed ones"),
    ],
)
def test_an_unknown_path_or_method_is_told(api: Api, method: str, path: str, status: int, text: str):
    answer = httpx.request(method, api.address + path)
    assert (answer.status_code, answer.json()["status"], answer.json()["detail"]) == (status, status, text)
    assert status != 405 or answer.headers["allow"] == "GET"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"\xff", b"[" * 10_000, b'{"name": "a", "scopes": ["read"], "x\ny": 1}']
)
def test_a_malformed_body_is_told_in_one_line(api: Api, body: bytes):
    text, _ = Tokens(api.home).create("writer", ("admin",))
    with api.client(text) as client:
        answer = client.post("/v1/tokens", content=body, headers={"Content-Type": "application/json"})
    Tokens(api.home).revoke("writer")
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].isprintable()
