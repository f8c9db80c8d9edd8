"""How fast the API gives pages and streams: `python -m bench.api [--records N] [--clients N]`.

Starts a stack of its own in a folder that is removed afterwards. Pages: a symbol's forecasts, 1,000 rows a page, by one
client, in each format. Streams: N clients follow all forecasts while they are published as fast as they can be; the
clock ends when the last client has the last record. A client counts records and parses nothing; where it was too slow
it comes back with its last id.
"""

import argparse
import asyncio
import json
import shutil
import tempfile
import threading
import time
from pathlib import Path

import httpx

from bench.replay import cpu, processes, running
from bench.report import save
from broker.confirmed_send import KafkaWriter
from settings import ADDRESSES, Settings
from settings.broker import Address
from storage.timescale import Writer
from topics.catalog import PREDICTIONS
from topics.records import HORIZONS, Forecast, Prediction

NAMES = ("kafka", "postgres", "redis", "prepare", "api")
FIRST, MINUTE, FRAME, SYMBOLS = 1_747_526_400_000, 60_000, 200, 8
LEVELS = [-0.0018, -0.0013, -0.0006, 0.0, 0.0007, 0.0014, 0.0019]


def forecasts(count: int) -> list[list[Prediction]]:
    """Return frames of made-up forecasts of several symbols."""
    each = [Forecast(horizon=horizon, mean=0.00004, scale=0.0011, quantiles=LEVELS, p_up=0.52) for horizon in HORIZONS]
    frames = []
    for number in range(count // FRAME):
        symbol, first = f"S{number % SYMBOLS}USDT", number // SYMBOLS * FRAME
        times = (FIRST + (first + row) * MINUTE for row in range(FRAME))
        frames.append(
            [
                Prediction(
                    symbol=symbol,
                    interval="1m",
                    time=t,
                    model="ridge",
                    version="v1",
                    fingerprint="print",
                    price=103_250.5,
                    forecasts=each,
                    regime="calm",
                )
                for t in times
            ]
        )
    return frames


async def store(url: str, frames: list[list[Prediction]]) -> None:
    """Write the forecasts to the database."""
    writer = Writer(url)
    for frame in frames:
        await writer.write({PREDICTIONS: frame})
    await writer.close()


async def publish(kafka: Address, frames: list[list[Prediction]]) -> None:
    """Send the forecasts."""
    writer = KafkaWriter(kafka)
    for start in range(0, len(frames), 50):
        await writer.send([(PREDICTIONS, rows[0].symbol, rows) for rows in frames[start : start + 50]])
    await writer.stop()


def pages(client: httpx.Client, form: str) -> dict[str, float]:
    """Return how fast a symbol's forecasts are read page by page."""
    url, rows, spent = "/v1/predictions?symbol=S0USDT&limit=1000&format=" + form, 0, []
    while url:
        begun = time.perf_counter()
        response = client.get(url)
        spent.append(time.perf_counter() - begun)
        response.raise_for_status()
        rows += 1000
        url = response.links.get("next", {}).get("url", "")
    return {
        "pages": len(spent),
        "rows_per_second": round(rows / sum(spent)),
        "ms_median": round(1e3 * median(spent), 1),
    }


def median(values: list[float]) -> float:
    """Return the middle one."""
    return sorted(values)[len(values) // 2]


def follow(address: str, headers: dict[str, str], count: int, ready: threading.Barrier, resumed: list[int]) -> None:
    """Take so many records of the stream, coming back with the last id where the server found it too slow, and end."""
    last, got = b"", 0
    while got < count:
        back = headers | ({"Last-Event-ID": last.decode()} if last else {})
        with httpx.stream("GET", f"{address}/v1/stream/predictions", headers=back, timeout=60) as response:
            response.raise_for_status()
            tail = b""
            for chunk in response.iter_raw():
                blocks, _, tail = (tail + chunk).rpartition(b"\n\n")
                got += blocks.count(b"\ndata: ") - blocks.count(b"event: ")  # the end, or a note
                if b"id: " in blocks:
                    if not last:
                        ready.wait()
                    last = blocks.rpartition(b"id: ")[2].partition(b"\n")[0]
                if got >= count:
                    return
        resumed.append(1)


def measure(records: int, clients: int, home: Path) -> dict[str, object]:
    """Return the figures."""
    frames = forecasts(records)
    count = sum(map(len, frames))
    with running(home, NAMES):
        result = json.loads((home / ADDRESSES).read_text())
        address = f"http://127.0.0.1:{result['api_port']}"
        headers = {"Authorization": f"Bearer {(home / 'api.token').read_text().strip()}"}
        asyncio.run(store(result["database_url"], frames))
        with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
            by_format = {form: pages(client, form) for form in ("json", "arrow", "csv")}
        streams = {}
        for many in sorted({1, clients}):
            ready, resumed = threading.Barrier(many + 1), list[int]()
            asked = (address, headers, count, ready, resumed)
            threads = [threading.Thread(target=follow, args=asked) for _ in range(many)]
            for thread in threads:
                thread.start()
            ready.wait()
            before, begun = cpu(processes(home, NAMES)["api"]), time.perf_counter()
            asyncio.run(publish(Settings(home=home).broker, frames))
            for thread in threads:
                thread.join()
            seconds = time.perf_counter() - begun
            used = cpu(processes(home, NAMES)["api"]) - before
            streams[f"{many} clients"] = {
                "records_per_second_each": round(count / seconds),
                "records_per_second": round(count * many / seconds),
                "api_cpu_seconds": round(used, 1),
                "resumed": len(resumed),
            }
    return {"records": count, "pages": by_format, "streams": streams}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=40_000)
    parser.add_argument("--clients", type=int, default=10)
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="foretick-bench-"))
    try:
        figures = measure(options.records, options.clients, folder)
        print(json.dumps(figures, indent=2))
        if options.save:
            save("api", f"python -m bench.api --records {options.records} --clients {options.clients}", figures)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
