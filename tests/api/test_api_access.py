"""Who may ask what, how often, and what the server gives away when it refuses."""

import json
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from api_market import MODELS, Api, Market, serving
from hypothesis import given
from hypothesis import strategies as st

from api.middleware import BODY_BYTES
from api.tokens import TokenError, Tokens
from stack.monitoring import metrics
from stack.rate_limit import RateLimiter


@pytest.fixture
def own(new_market: Callable[[], Market], kafka: str, tmp_path: Path) -> Iterator[Api]:
    """A server of its own, on an empty database."""
    with serving(new_market().url, kafka, tmp_path) as result:
        yield result


def test_a_token_is_told_once_and_kept_as_a_hash(tmp_path: Path):
    text, token = Tokens(tmp_path).create("research", ("stream", "read"))
    kept = (tmp_path / "tokens.json").read_text()
    assert text not in kept
    assert text.split("_")[2] not in kept
    assert stat.S_IMODE((tmp_path / "tokens.json").stat().st_mode) == 0o600
    assert Tokens(tmp_path).find(text) == token
    assert token.scopes == ("read", "stream")


@given(st.text(max_size=100))
def test_a_malformed_or_wrong_token_is_not_found(tmp_path_factory: pytest.TempPathFactory, text: str):
    home = tmp_path_factory.getbasetemp() / "some tokens"
    tokens = Tokens(home)
    if not tokens.all():
        tokens.create("one", ("read",))
    assert tokens.find(text) is None
    assert tokens.find(f"foretick_{tokens.all()[0].id}_{text}") is None


def test_names_are_told_apart_and_unknown_ones_are_told(tmp_path: Path):
    tokens = Tokens(tmp_path)
    tokens.create("research", ("read",))
    with pytest.raises(TokenError, match="there is a token 'research' already"):
        Tokens(tmp_path).create("research", ("read",))
    with pytest.raises(TokenError, match="there is no token 'other'; there are: research"):
        tokens.revoke("other")
    with pytest.raises(TokenError, match="printable"):
        tokens.create("line\nbreak", ("read",))


def test_the_local_token_is_made_anew_once_it_was_revoked(tmp_path: Path):
    tokens = Tokens(tmp_path)
    path = tokens.local()
    first = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert tokens.local().read_text() == first
    tokens.revoke("local")
    with pytest.raises(TokenError, match="this machine's own token"):
        tokens.create("local", ("read",))  # it would be revoked when the API starts
    second = tokens.local().read_text()
    assert second != first
    assert tokens.find(first.strip()) is None


def test_a_bucket_gives_its_burst_and_then_its_rate():
    now = [0.0]
    buckets = RateLimiter(2.0, 3, lambda: now[0])
    assert [buckets.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.wait("b") == 0
    now[0] += 0.5
    assert [buckets.wait("a") for _ in range(2)] == [0, 0.5]
    now[0] += 60
    assert [buckets.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]


@pytest.mark.services
@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer x", "Bearer foretick_00000000_00", "Basic eDp5", "bearer \u00e9"]
)
def test_without_a_token_nothing_is_told(api: Api, header: str | None):
    headers = {} if header is None else {"Authorization": header.encode()}
    for path in ("/v1/symbols", "/v1/stream/alerts", "/v1/tokens", "/v1/predictions?symbol="):
        response = httpx.get(api.address + path, headers=headers)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.services
@pytest.mark.parametrize("path", ["/health", "/openapi.json", "/v1/symbols", "ws:/v1/stream/alerts"])
def test_a_request_for_a_foreign_host_name_is_refused(api: Api, path: str):
    """As a page whose own name leads here would ask (DNS rebinding), whatever it brings."""
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    headers = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", **upgrade} if path.startswith("ws:") else {}
    port = httpx.URL(api.address).port
    with api.client() as client:
        for name in ("evil.example", f"127.0.0.1.evil.example:{port}", ""):
            assert client.get(path.removeprefix("ws:"), headers=headers | {"Host": name}).status_code in (400, 403)
        if not headers:
            for name in (f"localhost:{port}", "[::1]", "127.0.0.1:1"):
                assert client.get(path, headers={"Host": name}).status_code == 200


@pytest.mark.services
def test_a_scope_opens_its_own_paths_only(api: Api):
    tokens = Tokens(api.home)
    doors = {"read": "/v1/symbols", "stream": "/v1/stream/alerts", "admin": "/v1/tokens"}
    for scope in doors:
        text, _ = tokens.create(f"only {scope}", (scope,))
        with api.client(text) as client:
            for other, path in doors.items():
                with client.stream("GET", path) as response:
                    assert response.status_code == (200 if scope in (other, "admin") else 403), (scope, other)
        tokens.revoke(f"only {scope}")


@pytest.mark.services
def test_a_revoked_token_is_refused_from_then_on(api: Api):
    text, _ = Tokens(api.home).create("soon gone", ("read",))
    with api.client(text) as client:
        assert client.get("/v1/symbols").status_code == 200
        Tokens(api.home).revoke("soon gone")
        assert client.get("/v1/symbols").status_code == 401


@pytest.mark.services
def test_an_admin_makes_lists_and_revokes_tokens(api: Api):
    text, _ = Tokens(api.home).create("chief", ("admin",))
    with api.client(text) as client:
        made = client.post("/v1/tokens", json={"name": "made", "scopes": ["read"]})
        assert made.status_code == 201
        assert client.post("/v1/tokens", json={"name": "made", "scopes": ["read"]}).status_code == 409
        assert client.post("/v1/tokens", json={"name": "other", "scopes": ["all"]}).status_code == 422
        listed = client.get("/v1/tokens")
        assert {"made", "chief"} <= {row["name"] for row in listed.json()}
        assert made.json()["token"] not in listed.text
        with api.client(made.json()["token"]) as other:
            assert other.get("/v1/symbols").status_code == 200
            assert client.delete("/v1/tokens/made").status_code == 204
            assert other.get("/v1/symbols").status_code == 401
        assert client.delete("/v1/tokens/made").status_code == 404
    Tokens(api.home).revoke("chief")


@pytest.mark.services
def test_who_asks_too_often_is_told_when_to_come_back(new_market: Callable[[], Market], kafka: str, tmp_path: Path):
    with serving(new_market().url, kafka, tmp_path, api_rate="0.01", api_burst="3") as own, own.client() as client:
        answers = [client.get("/v1/symbols") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert 0 < int(answers[-1].headers["retry-after"]) <= 100
        other, _ = Tokens(own.home).create("other", ("read",))
        with own.client(other) as another:
            assert another.get("/v1/symbols").status_code == 200


@pytest.mark.services
def test_a_token_holds_so_many_streams_open_and_no_more(new_market: Callable[[], Market], kafka: str, tmp_path: Path):
    with (
        serving(new_market().url, kafka, tmp_path, api_streams="1") as own,
        own.client() as client,
        client.stream("GET", "/v1/stream/alerts") as first,
    ):
        assert first.status_code == 200
        assert client.get("/v1/stream/drift").status_code == 429


@pytest.mark.services
def test_other_sites_pages_may_not_ask_unless_they_are_named(
    api: Api, new_market: Callable[[], Market], kafka: str, tmp_path: Path
):
    asks = {"Origin": "https://example.org", "Access-Control-Request-Method": "GET"}
    assert "access-control-allow-origin" not in httpx.options(f"{api.address}/v1/symbols", headers=asks).headers
    with serving(new_market().url, kafka, tmp_path, api_cors_origins="https://example.org") as own:
        allowed = httpx.options(f"{own.address}/v1/symbols", headers=asks)
        assert allowed.headers["access-control-allow-origin"] == "https://example.org"
        other = httpx.options(f"{own.address}/v1/symbols", headers=asks | {"Origin": "https://example.com"})
        assert "access-control-allow-origin" not in other.headers


@pytest.mark.services
def test_what_is_too_large_is_not_read(api: Api):
    with api.client() as client:
        assert client.post("/v1/tokens", content=b"x" * (BODY_BYTES + 1)).status_code == 413
        pieces = (b"x" * 4096 for _ in range(64))
        text, _ = Tokens(api.home).create("large", ("admin",))
        headers = {"Authorization": f"Bearer {text}", "Content-Type": "application/json"}
        assert client.post("/v1/tokens", content=pieces, headers=headers).status_code == 413
        Tokens(api.home).revoke("large")


@pytest.mark.services
def test_every_answer_has_the_headers_that_keep_browsers_from_guessing(api: Api):
    for path in ("/health", "/v1/symbols", "/nowhere", "/openapi.json"):
        headers = httpx.get(api.address + path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


@pytest.mark.services
def test_a_file_of_tokens_that_cannot_be_read_is_told(own: Api):
    token = own.token
    (own.home / "tokens.json").write_text("{nonsense")
    for path in ("/v1/symbols", "/v1/stream/alerts"):
        with own.client(token) as client:
            answer = client.get(path)
        assert answer.status_code == 503
        assert answer.json()["detail"] == "the tokens cannot be read; the API's log has the reason"
    assert "tokens.json cannot be read" in (own.home / "api.log").read_text()


@pytest.mark.services
def test_a_database_that_is_away_is_a_clear_answer_and_no_secret(kafka: str, tmp_path: Path):
    away = "postgresql://foretick:secret@127.0.0.1:1/foretick"
    with serving(away, kafka, tmp_path) as own, own.client() as client:
        response = client.get("/v1/symbols")
        assert response.status_code == 503
        assert response.json()["detail"] == "the database does not answer; try again later"
        with client.stream("GET", "/v1/stream/alerts") as stream:
            assert stream.status_code == 200  # streams and tokens need none
    assert "secret" not in (tmp_path / "api.log").read_text()


@pytest.mark.services
def test_the_documents_say_what_is_needed(api: Api):
    document = httpx.get(f"{api.address}/openapi.json").json()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert path in ("/health", "/v1") or operation["security"] == [{"token": []}]
            assert json.dumps(operation.get("description", "")) != '""'


@pytest.mark.services
def test_requests_and_streams_are_counted_by_the_path_that_is_meant(market: Market, kafka: str, tmp_path: Path):
    with serving(market.url, kafka, tmp_path, metrics_port="0") as own, own.client() as client:
        assert client.get("/health").status_code == 200  # it has started, and said where
        shown = (tmp_path / "api.log").read_text()
        port = re.search(r"metrics on http://127.0.0.1:(\d+)/metrics", shown)
        assert port is not None, shown
        where = f"http://127.0.0.1:{port[1]}"
        for _ in range(3):
            client.get("/v1/symbols")
        client.get("/v1/regimes")
        client.get("/v1/nowhere/at/all")
        with client.stream("GET", "/v1/stream/alerts"):
            open_now = httpx.get(f"{where}/metrics").text
        assert 'foretick_api_requests_total{path="/v1/symbols",status="200"} 3.0' in open_now
        assert 'foretick_api_requests_total{path="/v1/regimes",status="422"} 1.0' in open_now
        assert 'foretick_api_requests_total{path="other",status="404"} 1.0' in open_now
        assert 'foretick_api_streams{topic="alerts"} 1.0' in open_now
        skill = re.search(r'foretick_pinball_skill{horizon="5",interval="1m",model="gbm"} (.*)', open_now)
        assert skill is not None
        assert float(skill[1]) == pytest.approx(1 - 1 / MODELS["naive"])
        assert 'foretick_model_serving_seconds{model="gbm",version="v1"}' in open_now
        assert httpx.get(f"{where}/ready").text == "healthy\n"
        # The names that the dashboard shows are there.
        assert {name for name in metrics() if name.startswith("foretick_api_")} <= {
            line.split("{")[0].split(" ")[0] for line in open_now.splitlines()
        } | {"foretick_api_streamed_records_total"}
