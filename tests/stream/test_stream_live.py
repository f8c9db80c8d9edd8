"""A venue's trades through `foretick live` onto a real Kafka, while everything goes wrong that can."""

import asyncio
import json
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from probing import answer, of, port_in, scraped, wait_for
from stacks import Servers, running

from bench.live_check import compared, read, truth
from bench.live_run import ROUND, SYMBOLS, Exchange, Watcher, disturb, exchange, settled
from broker.admin import create_topics
from settings import Settings
from sources.live.checkpoint import FeedCheckpoint, restore
from sources.live.exchange import make
from sources.live.publisher import live_kafka_writer
from sources.live.venues import Venue
from sources.live.watch import VenueFeed
from sources.replay.sender import cluster_at
from stack.monitoring import metrics

pytestmark = [pytest.mark.services, pytest.mark.slow]

DEADLINE_S = 60.0


@pytest.fixture
def kafka() -> Iterator[Servers]:
    """A Kafka of the test's own: ids of the exchange begin at 1 again."""
    with running(("kafka",)) as servers:
        create_topics(servers.broker)
        yield servers


def until(holds: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + DEADLINE_S
    while not (result := holds()):
        assert time.monotonic() < deadline, what
        time.sleep(0.2)
    return result


def seen(watcher: Watcher, symbols: int) -> bool:
    """Whether the process tells of so many symbols, each with a trade."""
    reporter = watcher.status().get("symbols", [])
    return len(reporter) == symbols and all(symbol["trades"] for symbol in reporter)


def check(market: Exchange, servers: Servers, interval: str) -> dict[str, int]:
    """Every trade is on the topic once or in a gap, and the bars are those of the exchange; return the figures."""
    result = settled(market, servers.kafka)
    made = {symbol: truth(symbol, market.ask(f"trades/{symbol}")) for symbol in result.ticks}
    figures = compared(result, made, (interval,))
    faults = ("twice", "lost", "out_of_order", "wrong", f"{interval}_bars_different", f"{interval}_bars_too_many")
    assert {name: figures[name] for name in faults} == dict.fromkeys(faults, 0), figures
    assert figures["once"] + figures["in_a_gap"] == figures["trades"], figures
    return figures


@pytest.mark.long
@pytest.mark.chaos
def test_each_trade_is_on_the_topic_once_or_in_a_gap_whatever_goes_wrong(kafka: Servers) -> None:
    with exchange(2_000) as market:
        watcher = Watcher(home=kafka.home, url=market.url)
        watcher.start(*SYMBOLS)
        try:
            until(lambda: seen(watcher, len(SYMBOLS)), "no trades")
            disturb(market, watcher, ROUND)
            figures = check(market, kafka, "1s")
            halves = market.ask("state")["halves"]
        finally:
            watcher.stop()
        log = (kafka.home / "live.log").read_text()
    assert figures["gaps"] >= len(SYMBOLS), log[-3_000:]  # the venue has forgotten one hole
    assert figures["repaired"] > 0
    assert figures["1s_bars_compared"] > 20
    dead = [letter.reason for letter in read(kafka.kafka).dead]
    assert 0 < len(dead) <= halves  # one may be cut on a socket that the feed has just left
    assert all("a message cannot be read" in reason for reason in dead)
    for output in ("silent", "a message cannot be read", "missing trades repaired"):
        assert output in log, log[-3_000:]
    assert "Traceback" not in log


@pytest.mark.long
def test_symbols_come_and_go_while_it_runs_and_a_start_without_any_goes_on(kafka: Servers) -> None:
    with exchange(200) as market:
        watcher = Watcher(home=kafka.home, url=market.url)
        watcher.start("BTC/USDT")
        try:
            until(lambda: seen(watcher, 1), "no trades")
            assert watcher.tell("add", "binance", "ETHUSDT", "btc/usdc").returncode == 0
            until(lambda: seen(watcher, 3), "the added symbols have no trades")
            wrong = watcher.tell("add", "binance", "ETH/USTD")
            assert wrong.returncode == 2
            assert "binance has no symbol 'ETH/USTD'; did you mean ETH/USDT" in wrong.stderr
            reporter = json.loads(watcher.tell("list", "--json").stdout)
            assert [(each["venue"], len(each["symbols"])) for each in reporter] == [("binance", 3)]
            assert watcher.tell("rm", "binance", "BTC/USDC").returncode == 0
            until(lambda: "btcusdc@aggTrade" not in market.ask("state")["streams"], "it is still subscribed")
            second = watcher.tell("watch", "binance", "BTC/USDT")
            assert second.returncode == 2
            assert "already running" in second.stderr
            watcher.stop()
            watcher.start()
            until(lambda: len(watcher.status().get("symbols", [])) == 2, "it does not go on with both")
            market.ask("rate", {"rate": 0})
            last = market.last()
            until(lambda: ids(kafka, "ETHUSDT")[-1:] == [last["ETHUSDT"]], "not all came")
        finally:
            watcher.stop()
    for symbol in ("BTCUSDT", "ETHUSDT"):
        came = ids(kafka, symbol)
        assert came == list(range(came[0], last[symbol] + 1))
    assert ids(kafka, "BTCUSDC")
    assert watcher.tell("rm", "binance", "BTC/USDT").returncode == 2


def test_the_live_feeds_counts_and_problems_are_in_its_metrics_and_probe(kafka: Servers) -> None:
    fields = {"FORETICK_LOG_FORMAT": "json", "FORETICK_METRICS_PORT": "0"}
    with exchange(400) as market:
        watcher = Watcher(home=kafka.home, url=market.url, told=fields)
        watcher.start("BTC/USDT", "ETH/USDT")
        try:
            port = port_in(kafka.home / "live.log")
            wait_for(port, "healthy\n")
            until(lambda: seen(watcher, 2), "no trades")
            market.ask("fault", {"name": "half", "seconds": 0})
            until(lambda: unreadable(port) == market.ask("state")["halves"] > 0, "no dead letters")
            market.ask("fault", {"name": "drop", "seconds": 5})
            wait_for(port, "BTC/USDT: ")
            assert answer(port, "/ready")[0] == 503
            assert answer(port, "/health")[0] == 200
            wait_for(port, "healthy\n")
            until(lambda: market_series(port, "repaired_trades_total") > 0, "nothing is repaired")
            settled(market, kafka.kafka)
            until(lambda: market_series(port, "trade_silence_seconds") > 1, "it does not notice silence")
            values = scraped(port)
        finally:
            watcher.stop()
    counted = {each["symbol"]: each for each in watcher.status()["symbols"]}
    for symbol, each in counted.items():
        labels = {"venue": "binance", "symbol": symbol}
        for series, name in {"trades": "trades", "repaired_trades": "repaired", "reconnects": "reconnects"}.items():
            assert of(values, f"live_{series}_total", **labels) == each[name] > 0
        assert of(values, "live_gaps_total", **labels) == each["gaps"]
    assert of(values, "component", component="live") == 1
    assert {name for name in metrics() if name.startswith("foretick_live_")} <= {name for name, _ in values}
    assert {json.loads(line)["component"] for line in (kafka.home / "live.log").read_text().splitlines()} == {"live"}


def unreadable(port: int) -> float:
    return of(scraped(port), "dead_letters_total", topic="live/binance", symbol="")


def market_series(port: int, name: str) -> float:
    return of(scraped(port), f"live_{name}", venue="binance", symbol="BTCUSDT")


def test_a_port_that_is_taken_is_one_line(servers: Servers) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, exchange(1) as market:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        fields = {"FORETICK_METRICS_PORT": where.partition(":")[2]}
        done = Watcher(home=servers.home, url=market.url, told=fields).tell("binance", "BTC/USDT")
    assert done.returncode == 2
    assert f"FORETICK_METRICS_PORT: {where} cannot be bound: Address already in use" in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def ids(kafka: Servers, symbol: str) -> list[int]:
    return [int(tick.trade_id or 0) for tick in read(kafka.kafka).ticks.get(symbol, [])]


@pytest.mark.long
def test_gaps_of_a_venue_without_counting_ids_are_repaired_by_time(kafka: Servers) -> None:
    settings = Settings(**kafka.as_stack(), home=kafka.home)
    by_time = Venue(watch={"name": "aggTrade"})  # as any venue of which we know no more
    with exchange(400) as market:
        asyncio.run(watched(settings, market, by_time, ("drop", "stall", "forget")))
        figures = check(market, kafka, "1s")
    assert figures["repaired"] > 0
    assert figures["gaps"] >= 1


async def watched(settings: Settings, market: Exchange, venue: Venue, faults: Sequence[str]) -> None:
    """Watch two symbols in this process, let things go wrong, and stop when the last trade was sent."""
    exchange, memory, path = make("binance", market.url), FeedCheckpoint(), settings.home / "memory.json"
    await exchange.load_markets()
    await restore(settings.broker, await cluster_at(settings.broker), memory, "binance", counted=False)
    async with live_kafka_writer(settings.broker, memory, path, counted=False) as out:
        watch = VenueFeed(exchange, venue, memory, out)
        running = asyncio.create_task(watch.run(["BTC/USDT", "ETH/USDT"]))
        await asyncio.sleep(3)
        for name in faults:
            await asyncio.to_thread(market.ask, "fault", {"name": name, "seconds": 1.5})
            await asyncio.sleep(10 if name == "stall" else 5)
        await asyncio.to_thread(market.ask, "rate", {"rate": 0})
        made = await asyncio.to_thread(market.last)

        def complete() -> bool:
            return all(each.last_id == str(made[each.symbol]) for each in watch.status().symbols)

        await asyncio.to_thread(until, complete, "not all came")
        await asyncio.sleep(1)  # what was put is sent
        running.cancel()
        await asyncio.wait({running})
    await exchange.close()


def test_a_recording_gives_the_same_ticks_again_and_adds_none_that_are_there(kafka: Servers, tmp_path: Path) -> None:
    recording = tmp_path / "wire.jsonl"
    with exchange(500) as market:
        watcher = Watcher(home=kafka.home, url=market.url, options=("--record", str(recording)))
        watcher.start("BTC/USDT", "ETH/USDT")
        try:
            until(lambda: seen(watcher, 2), "no trades")
            market.ask("fault", {"name": "reorder", "seconds": 1})
            time.sleep(1)
            market.ask("fault", {"name": "duplicate", "seconds": 1})
            time.sleep(1)
            live = settled(market, kafka.kafka)
        finally:
            watcher.stop()
    again = watcher.tell("replay", str(recording), "--dry-run")
    records = [json.loads(line) for line in again.stdout.splitlines()]
    assert again.returncode == 0, again.stderr
    for symbol, ticks in live.ticks.items():
        got = [(r["trade_id"], r["time"], r["price"], r["amount"]) for r in records if r["symbol"] == symbol]
        assert got == [(tick.trade_id, tick.time, tick.price, tick.amount) for tick in ticks if not tick.repaired]
    sent = watcher.tell("replay", str(recording), "--json")
    assert json.loads(sent.stdout)["trades"] == 0
    assert read(kafka.kafka).ticks == live.ticks


def test_a_mistake_is_one_line(servers: Servers) -> None:
    create_topics(servers.broker)
    with exchange(1) as market:
        watcher = Watcher(home=servers.home, url=market.url)
        for words, text in {
            ("binance", "BTC/USTD"): "binance has no symbol 'BTC/USTD'; did you mean BTC/USDT",
            ("add", "binance", "BTC/USDT"): "no `foretick live binance` runs in",
        }.items():
            done = watcher.tell(*words)
            assert done.returncode == 2, done.stderr
            assert text in done.stderr
            assert len(done.stderr.splitlines()) == 1, done.stderr
