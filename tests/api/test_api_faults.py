"""What a stream says when Kafka goes away, drops what a client has not read, or the client may not listen any more."""

import asyncio
import json
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from api_market import Api, Market, gap, said, serving
from api_streams import Listener, SocketListener, SseListener, blocks, send
from psycopg import sql
from stacks import Servers, running
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from api.follow import Event, TopicSubscription
from api.hub import Hub
from api.ring_buffer import BufferedFrame
from api.stream_filter import Selection
from api.tokens import Tokens
from broker import clients
from broker.admin import create_topics
from broker.confirmed_send import KafkaWriter
from stack import state
from topics.catalog import GAPS, PREDICTIONS
from topics.codec import encode

pytestmark = pytest.mark.services

KINDS = [SseListener, SocketListener]
AWAY = "Kafka does not answer; the stream continues by itself once it does"
BACK = "Kafka answers again"
WAIT_S = 120.0


@pytest.mark.slow
def test_streams_say_that_kafka_is_away_and_go_on(market: Market, tmp_path: Path):
    with running(("kafka",)) as servers:
        create_topics(servers.broker)
        current = state.read(servers.home)
        assert current is not None
        kafka = psutil.Process(current.components["kafka"].pid)
        with serving(market.url, servers.kafka, tmp_path, api_rate="1000", api_burst="1000") as api:
            listeners = [kind(api=api) for kind in KINDS]
            for listener in listeners:
                listener.begin()
            threads = [threading.Thread(target=listener.listen, args=(2,)) for listener in listeners]
            for thread in threads:
                thread.start()
            send(servers.kafka, [[said("BTCUSDT", 1, "gbm")]])
            wait(lambda: all(len(listener.got) == 1 for listener in listeners))
            kafka.send_signal(signal.SIGSTOP)
            wait(lambda: all(listener.notes == [AWAY] for listener in listeners))
            with api.client() as client:
                refused = client.get("/v1/stream/alerts")
                assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
                assert client.get("/v1/symbols").status_code == 200
            if kafka.is_running():  # else the supervisor was quicker, and starts another
                kafka.send_signal(signal.SIGCONT)
            wait(lambda: all(listener.notes == [AWAY, BACK] for listener in listeners))
            send(servers.kafka, [[said("BTCUSDT", 2, "gbm")]])
            for thread in threads:
                thread.join(WAIT_S)
    for listener in listeners:
        assert [json.loads(text)["time"] for text in listener.got] == [said("BTCUSDT", n, "gbm").time for n in (1, 2)]


@pytest.mark.long
@pytest.mark.slow
def test_a_database_that_goes_away_is_told_and_used_again_once_it_is_back(
    new_market: Callable[[], Market], servers: Servers, kafka: str, tmp_path: Path
):
    market = new_market()
    market.write(5)
    name = urlsplit(market.url).path.removeprefix("/")

    def allow(connections: bool) -> None:
        with psycopg.connect(servers.database_url, autocommit=True) as connection:
            allowed = sql.SQL("true" if connections else "false")
            connection.execute(
                sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}").format(sql.Identifier(name), allowed)
            )
            ours = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user"
            )
            connection.execute(ours, [name])

    with serving(market.url, kafka, tmp_path) as api, api.client() as client:
        assert len(client.get("/v1/symbols").json()["rows"]) == 2
        allow(False)
        for path in ("symbols", "gaps"):
            away = client.get(f"/v1/{path}")
            assert (away.status_code, away.headers["retry-after"]) == (503, "5")
            assert away.json()["detail"] == "the database does not answer; try again later"
        assert client.get("/health").status_code == 200
        allow(True)
        wait(lambda: client.get("/v1/symbols").status_code == 200)
        assert len(client.get("/v1/gaps").json()["rows"]) == 2


def wait(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_an_id_from_before_what_kafka_still_has_is_refused_and_not_skipped(
    market: Market, servers: Servers, kafka: str, tmp_path: Path, kind: type[Listener]
):
    async def found(count: int) -> None:
        writer = KafkaWriter(servers.broker)
        await writer.send([(GAPS, "BTCUSDT", [gap("BTCUSDT", minute)]) for minute in range(count)])
        await writer.stop()

    async def expire() -> None:
        admin = clients.admin(servers.broker)
        await admin.start()
        await admin.delete_records({TopicPartition(GAPS.name, 0): RecordsToDelete(before_offset=-1)})
        await admin.close()

    with serving(market.url, kafka, tmp_path) as api:
        listener = kind(api=api, path="gaps")
        listener.begin()
        early = listener.last
        asyncio.run(found(5))
        listener.listen(5)
        late = listener.last
    asyncio.run(expire())
    with serving(market.url, kafka, tmp_path) as api:
        with api.client() as client:
            refused = client.get("/v1/stream/gaps", headers={"Last-Event-ID": early or ""})
        assert refused.status_code == 410
        assert refused.json()["detail"] == (
            "Kafka no longer has the records after this id: "
            "read the missing records from /v1/gaps, and restart the stream "
            "without an id"
        )
        again = kind(api=api, path="gaps", last=late)
        again.begin()  # of what it has not read, nothing is gone
        asyncio.run(found(2))
        again.listen(2)
    assert len(again.got) == 2


def test_a_stream_ends_with_its_token(api: Api, kafka: str):
    text, _ = Tokens(api.home).create("soon gone", ("stream",))
    url = f"{api.address}/v1/stream/predictions".replace("http", "ws", 1)
    with (
        api.client(text) as client,
        client.stream("GET", "/v1/stream/predictions") as response,
        connect(url, additional_headers={"Authorization": f"Bearer {text}"}) as socket,
    ):
        events = blocks(response)
        while "id" not in next(events):
            pass
        socket.recv(timeout=30)
        Tokens(api.home).revoke("soon gone")
        send(kafka, [[said("BTCUSDT", 80_000_000, "gbm")]])
        (end,) = list(events)
        assert (end["event"], json.loads(end["data"])["reason"]) == ("end", "revoked")
        with pytest.raises(ConnectionClosedError) as closed:
            socket.recv(timeout=30)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason[:8]) == (4401, "revoked:")


def test_a_row_that_is_dated_ahead_of_the_broker_is_not_streamed_and_the_others_keep_their_rows():
    rows = [said("BTCUSDT", minute, "gbm") for minute in (0, 24 * 60 + 1, 1)]
    frame = BufferedFrame(topic=PREDICTIONS, partition=0, offset=0, value=encode(rows), time=rows[0].time)
    assert [(row, record) for row, record, _ in frame.rows] == [(0, rows[0]), (2, rows[2])]


@pytest.mark.parametrize("wanted", ["BTCUSDT", "ETHUSDT"])
def test_a_stream_without_matching_records_still_sends_its_position(wanted: str):
    """Else their connection looks dead, and they come back with an old id, for ever."""

    async def run() -> list[Event]:
        hub = Hub("none")
        hub.ready.set()
        ring = hub.rings[PREDICTIONS]
        ring.reset({0: 0})
        subscription = TopicSubscription(
            hub=hub, topic=PREDICTIONS, selection=Selection({"symbol": {wanted}}), keep_alive=0.05
        )
        await subscription.begin(None)

        async def market() -> None:
            for offset in range(1_000_000):
                ring.add(
                    [
                        BufferedFrame(
                            topic=PREDICTIONS,
                            partition=0,
                            offset=offset,
                            value=encode([said("BTCUSDT", offset, "gbm")]),
                        )
                    ]
                )
                await asyncio.sleep(0.01)

        busy = asyncio.create_task(market())
        events: list[Event] = []
        async for piece in subscription.events():
            events += piece
            if len(events) == 4:
                break
        busy.cancel()
        return events

    events = asyncio.run(asyncio.wait_for(run(), 30))
    places = [int(event.id.split("-")[1]) for event in events]
    assert places == sorted(places)
    assert places[-1] > places[0]
    assert {event.data is None for event in events[1:]} == {wanted == "ETHUSDT"}
