"""A client that breaks off and comes back with its last id misses nothing and gets nothing twice."""

import json
import random
import threading
from pathlib import Path

import httpx
import pytest
from api_market import Api, Market, bar, said, serving
from api_streams import NAMES, Listener, SocketListener, SseListener, frames, send, sent
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from topics.catalog import BARS
from topics.records import Prediction

pytestmark = pytest.mark.services

KINDS = [SseListener, SocketListener]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_breaking_off_anywhere_misses_nothing_and_repeats_nothing(
    api: Api, kafka: str, kind: type[Listener], seed: int
):
    listener, cut = kind(api=api), random.Random(seed)  # noqa: S311 - no secret is made of it
    listener.begin()
    batches = frames(seed + 10 * KINDS.index(kind), 60)
    total = sum(map(len, batches))
    writing = threading.Thread(target=send, args=(kafka, batches))
    writing.start()
    while len(listener.got) < total:
        listener.listen(min(cut.choice((1, 2, 7, 40, 150)), total - len(listener.got)))
    writing.join()
    assert sorted(listener.got) == sent(batches)


@pytest.mark.parametrize("kind", KINDS)
def test_what_came_while_nobody_listened_and_the_server_was_started_anew_comes_first(
    market: Market, kafka: str, tmp_path: Path, kind: type[Listener]
):
    missed, after = frames(31 + KINDS.index(kind), 30), frames(41 + KINDS.index(kind), 5)
    with serving(market.url, kafka, tmp_path) as api:
        listener = kind(api=api)
        listener.begin()
    send(kafka, missed)
    with serving(market.url, kafka, tmp_path) as api:
        listener.api = api
        listener.listen(7)  # in the middle of a frame, from Kafka itself
        listener.listen(sum(map(len, missed)) - 7)
        send(kafka, after)
        listener.listen(sum(map(len, after)))
    assert sorted(listener.got) == sent([*missed, *after])


def test_a_stream_sends_the_records_that_match_the_filters(api: Api, market: Market, kafka: str):
    market.store({BARS: [bar(name, 0) for name in NAMES[:2]]})
    wanted = {"symbol": [NAMES[0], NAMES[1]], "model": ["gbm"], "horizon": ["5", "15"]}
    listener = SseListener(api=api, asked=wanted)
    everything = SseListener(api=api, asked={"role": "any"})
    listener.begin()
    everything.begin()
    batches = frames(51, 80)
    send(kafka, [*batches, [said(NAMES[0], 400_000, "gbm", role="challenger")], [said(NAMES[0], 400_001, "gbm")]])
    chosen = [one for rows in batches for one in rows if one.symbol in wanted["symbol"] and one.model == "gbm"]
    listener.listen(len(chosen) + 1)
    results = [json.loads(text) for text in listener.got]
    expected = {(one.symbol, one.time) for one in chosen} | {(NAMES[0], said(NAMES[0], 400_001, "gbm").time)}
    assert {(record["symbol"], record["time"]) for record in results} == expected
    assert all([forecast["horizon"] for forecast in record["forecasts"]] == [5, 15] for record in results)
    everything.listen(sum(map(len, batches)) + 2)
    assert sum("challenger" in text for text in everything.got) == 1


KEPT = {"api_kept_mb": "1"}
ROUND = 8
"""Frames that whoever reads them at once is not behind after: less than is kept."""


def large(number: int) -> list[Prediction]:
    """Return a frame of about 100 kB."""
    return [said(NAMES[number % len(NAMES)], number * 200 + row, "gbm") for row in range(100)]


def more_than_is_kept(first: int) -> list[list[Prediction]]:
    """Return frames of 10 MB: more than the server keeps and all buffers on the way to a client together."""
    return [large(first + number) for number in range(100)]


def read_at_once(listener: Listener, kafka: str, batches: list[list[Prediction]]) -> None:
    """Send the frames, a few at a time, and have a client that keeps up take them."""
    for start in range(0, len(batches), ROUND):
        few = batches[start : start + ROUND]
        send(kafka, few)
        listener.listen(sum(map(len, few)))
    assert sorted(listener.got) == sent(batches)


def test_a_slow_client_holds_nobody_up_and_is_told_to_come_back(market: Market, kafka: str, tmp_path: Path):
    batches = more_than_is_kept(0)
    with serving(market.url, kafka, tmp_path, **KEPT) as api:
        slow, quick = SseListener(api=api), SseListener(api=api)
        slow.begin()
        quick.begin()
        headers = {"Last-Event-ID": slow.last or ""}
        with api.client() as client, client.stream("GET", "/v1/stream/predictions", headers=headers) as response:
            assert response.status_code == 200  # and nothing of it is read for now
            read_at_once(quick, kafka, batches)
            rest = b"".join(response.iter_raw())
        blocks = [
            dict(line.split(": ", 1) for line in text.split("\n") if line) for text in rest.decode().split("\n\n")
        ]
        slow.got = [block["data"] for block in blocks if "data" in block and "event" not in block]
        (end,) = [json.loads(block["data"]) for block in blocks if block.get("event") == "end"]
        assert end["reason"] == "behind"
        assert "connect again with the last id" in end["detail"]
        slow.last = [block["id"] for block in blocks if "id" in block][-1]
        assert 0 < len(slow.got) < sum(map(len, batches))
        slow.listen(sum(map(len, batches)) - len(slow.got))
    assert sorted(slow.got) == sent(batches)


def test_a_slow_websocket_is_told_to_come_back_and_misses_nothing(market: Market, kafka: str, tmp_path: Path):
    """Uncompressed: made-up records shrink so well that the kernel's buffers alone would take them all."""
    batches = more_than_is_kept(1_000)
    with serving(market.url, kafka, tmp_path, **KEPT) as api:
        slow, quick = SocketListener(api=api), SseListener(api=api)
        slow.begin()
        quick.begin()
        url = f"{api.address}/v1/stream/predictions?last_id={slow.last}".replace("http", "ws", 1)
        headers = {"Authorization": f"Bearer {api.token}"}
        with connect(
            url, additional_headers=headers, max_size=None, compression=None, ping_interval=None, max_queue=1
        ) as socket:
            read_at_once(quick, kafka, batches)  # and nothing of the other is read for now
            with pytest.raises(ConnectionClosedError) as closed:
                take_all(slow, socket)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason[:7]) == (1013, "behind:")
        assert 0 < len(slow.got) < sum(map(len, batches))
        slow.listen(sum(map(len, batches)) - len(slow.got))
    assert sorted(slow.got) == sent(batches)


def take_all(listener: SocketListener, socket: ClientConnection) -> None:
    """Take what comes until the server ends it; fail where it has sent all, and only says where the stream is."""
    while True:
        new = listener.take(str(socket.recv(timeout=60)))
        assert new or not listener.got, f"{len(listener.got)} records, and the stream goes on"


def test_a_stream_says_that_the_server_stops(market: Market, kafka: str, tmp_path: Path):
    with serving(market.url, kafka, tmp_path) as api:
        client = api.client()
        stream = client.stream("GET", "/v1/stream/alerts")
        response = stream.__enter__()
    said_last = b"".join(response.iter_raw())
    stream.__exit__(None, None, None)
    client.close()
    assert b'event: end\ndata: {"reason":"stopping"' in said_last


@pytest.mark.parametrize(
    ("last", "status"),
    [
        ("nonsense", 422),
        ("alerts.0-5-0", 422),
        ("predictions", 422),
        ("predictions.0-x-0", 422),
        ("predictions.0-999999999-0", 410),
        ("predictions.77-1-0", 410),
    ],
)
def test_an_id_that_cannot_be_gone_on_from_is_refused(api: Api, last: str, status: int):
    with api.client() as client, client.stream("GET", "/v1/stream/predictions", params={"last_id": last}) as response:
        assert response.status_code == status
        response.read()
        assert response.json()["status"] == status
    url = f"{api.address}/v1/stream/predictions?last_id={last}".replace("http", "ws", 1)
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(url, additional_headers={"Authorization": f"Bearer {api.token}"}),
    ):
        pass
    assert refused.value.response.status_code == status


def test_a_page_in_a_browser_brings_its_token_as_a_subprotocol(api: Api):
    url = f"{api.address}/v1/stream/alerts".replace("http", "ws", 1)
    with connect(url, subprotocols=["foretick.v1", f"token.{api.token}"]) as socket:
        assert socket.subprotocol == "foretick.v1"
        assert json.loads(socket.recv(timeout=30))["id"].startswith("alerts.")
    with pytest.raises(InvalidStatus) as refused, connect(url):
        pass
    assert refused.value.response.status_code == 401
    with pytest.raises(InvalidStatus) as wrong, connect(f"{url}?horizon=x", subprotocols=[f"token.{api.token}"]):
        pass
    assert wrong.value.response.status_code == 422


def test_every_stream_can_be_followed(api: Api):
    for topic in ("predictions", "outcomes", "regimes", "alerts", "drift", "gaps"):
        listener = SseListener(api=api, path=topic)
        listener.begin()
        assert (listener.last or "").startswith(f"{topic}.0-")
    with api.client() as client:
        refused = client.get("/v1/stream/ticks")
    assert refused.status_code == 404
    assert isinstance(refused, httpx.Response)
