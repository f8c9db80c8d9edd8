"""Wire data of real venues, gone through again by ccxt and our parser: every trade of the recordings becomes a tick."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sources.live.exchange import make
from sources.live.record import FORMAT
from sources.live.replay import show

BINANCE = "wss://stream.binance.com:9443/ws/0"
COINBASE = "wss://ws-feed.exchange.coinbase.com"


def recording(path: Path, venue: str, url: str, markets: list[str], messages: Iterator[Any]) -> Path:
    """A recording as `--record` makes one, of messages that somebody else recorded."""
    exchange = make(venue)
    rows: list[dict[str, Any]] = [{"format": FORMAT, "venue": venue}]
    for base, quote in (name.split("/") for name in markets):
        ids = {"id": f"{base}-{quote}" if venue.startswith("coinbase") else base + quote, "base": base, "quote": quote}
        market = {"symbol": f"{base}/{quote}", "type": "spot", "spot": True, "contract": False, "active": True}
        rows.append({"market": exchange.safe_market_structure({**ids, **market})})
    rows += [{"time": 0, "url": url, "message": message} for message in messages]
    path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    return path


def records(path: Path) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []
    asyncio.run(show(path, lambda line: shown.append(json.loads(line))))
    return shown


def messages_in(path: Path) -> Iterator[Any]:
    """The messages of a recording, in which the time stands before each; other lines are the recorder's own."""
    with gzip.open(path, "rt") as file:
        for line in file:
            if "{" in line:
                yield json.loads(line[line.index("{") :])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "symbol", "count"), [("btcusdt", "BTC/USDT", 9_757), ("ethusdt", "ETH/USDT", 6_106)])
def test_a_recording_of_binance_gives_every_trade_in_order(
    shared: Path, tmp_path: Path, name: str, symbol: str, count: int
) -> None:
    source = shared / "permissive" / "ws_binance_hftbacktest" / f"{name}_20240808.gz"
    raw = [message["data"] for message in messages_in(source) if "data" in message]
    trades = [message for message in raw if message.get("e") == "trade"]
    results = records(recording(tmp_path / "wire", "binance", BINANCE, [symbol], iter(trades)))
    assert len(results) == len(trades) == count
    for record, trade in zip(results, trades, strict=True):
        assert (record["trade_id"], record["time"]) == (str(trade["t"]), trade["T"])
        assert (record["price"], record["amount"]) == (float(trade["p"]), float(trade["q"]))
        assert record["side"] == ("sell" if trade["m"] else "buy")


def test_a_recording_of_coinbase_gives_every_match_and_its_ids_count_up_by_one(shared: Path, tmp_path: Path) -> None:
    source = shared / "permissive" / "ws_cryptofeed" / "COINBASE.ws.28.0.gz"
    matches = [message for message in messages_in(source) if message.get("type") == "match"]
    symbols = sorted({message["product_id"].replace("-", "/") for message in matches})
    results = records(recording(tmp_path / "wire", "coinbaseexchange", COINBASE, symbols, iter(matches)))
    assert all("trade_id" in record for record in results)  # there is no gap
    assert sorted((record["symbol"], record["trade_id"]) for record in results) == sorted(
        (message["product_id"].replace("-", ""), str(message["trade_id"])) for message in matches
    )
