"""A symbol that there is not is answered with 404 and the nearest, by tables and streams alike."""

import httpx
import pytest
from api_market import Api, serving
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from api.app import make_app
from api.known_symbols import instead
from settings import Settings

pytestmark = pytest.mark.services

DOCUMENT = make_app(Settings()).openapi()
OF_SYMBOLS = [
    path
    for path, methods in DOCUMENT["paths"].items()
    if "symbol" in {one["name"] for one in methods.get("get", {}).get("parameters", ())}
]
STREAMS = [path for path in OF_SYMBOLS if path.startswith("/v1/stream/")]


def test_the_nearest_known_symbols_are_named():
    there = ["BTCUSDT", "BTCUSDT:USDT", "ETHUSDT", "XRPEUR"]
    assert instead("BTCUSTD", there) == "the nearest are BTCUSDT, BTCUSDT:USDT, ETHUSDT"
    assert instead("XRPEURO", there) == "the nearest is XRPEUR"
    assert instead("ZZZZZ", there) == "none is like it"
    assert instead("BTCUSDT", []) == "nothing is stored yet"


@pytest.mark.parametrize("path", OF_SYMBOLS)
def test_an_unknown_symbol_is_told(api: Api, path: str):
    with api.client() as client:
        answer = client.get(path, params={"symbol": "DOGE/USDT"})
        beside = client.get(path, params={"symbol": "btc/usdc"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["detail"] == "symbol: there is no DOGEUSDT; the nearest are ETHUSDT, BTCUSDT"
    assert beside.json()["detail"] == "symbol: there is no BTCUSDC; the nearest are BTCUSDT, ETHUSDT"
    assert "404" in DOCUMENT["paths"][path]["get"]["responses"]


def test_a_known_symbol_without_rows_gets_an_empty_answer(api: Api):
    with api.client() as client:
        answers = [
            client.get("/v1/predictions", params={"symbol": "BTCUSDT", "model": "none"}),
            client.get("/v1/bars", params={"symbol": "BTC-USDT", "interval": "5m"}),
            client.get("/v1/alerts", params={"symbol": "all"}),
            client.get("/v1/alerts", params={"symbol": "WORKER"}),
            client.get("/v1/gaps", params={"symbol": "ALL", "venue": "none"}),
        ]
        no_market = client.get("/v1/bars", params={"symbol": "ALL"})
    assert no_market.status_code == 404
    assert [(answer.status_code, answer.json()["rows"]) for answer in answers] == [(200, [])] * len(answers)


@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_of_an_unknown_symbol_is_refused(api: Api, path: str):
    with api.client() as client:
        several = client.get(path, params={"symbol": ["BTC/USDT", "DOGEUSDT"]})
        with client.stream("GET", path, params={"symbol": "btc-usdt"}) as known:
            assert known.status_code == 200
    assert several.status_code == 404
    address = f"{api.address.replace('http', 'ws')}{path}?symbol=DOGEUSDT"
    with pytest.raises(InvalidStatus) as refused:
        connect(address, additional_headers={"Authorization": f"Bearer {api.token}"})
    assert refused.value.response.status_code == 404


@pytest.mark.long
@pytest.mark.slow
def test_a_stream_needs_no_database(kafka, tmp_path):
    with serving("postgresql://nobody:none@127.0.0.1:1/none", kafka, tmp_path) as api, api.client() as client:
        assert client.get("/v1/bars", params={"symbol": "DOGEUSDT"}).status_code == 503
        with client.stream("GET", "/v1/stream/regimes", params={"symbol": "DOGEUSDT"}) as stream:
            assert stream.status_code == 200


def test_where_nothing_is_stored_that_is_said(new_market, kafka, tmp_path):
    with serving(new_market().url, kafka, tmp_path) as api:
        answer = httpx.get(f"{api.address}/v1/bars?symbol=BTCUSDT", headers={"Authorization": f"Bearer {api.token}"})
    assert (answer.status_code, answer.json()["detail"]) == (404, "symbol: there is no BTCUSDT; nothing is stored yet")
