"""Publishes what the pages show, and writes down when: started by `python -m bench.dashboard`.

A process of its own, so that it does not wait for the browsers. Each symbol has a bar a second, spread over the second,
on Kafka; a run logs an epoch a second, a study gets a trial, and the alerts an alert. A line of OUT is
`[kind, mark, epoch s]`: `bar SYMBOL` when Kafka had confirmed it, `stored SYMBOL` when the database first showed it.
"""

import argparse
import asyncio
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import psycopg
from optuna.pruners import MedianPruner

from bench.dashboard import records, stored
from bench.dashboard.training_run import training
from broker.confirmed_send import KafkaWriter
from learning.tuning.study import Shared
from settings import Settings
from topics.records import Alert

WATCHED = 4
"""So many symbols are looked for in the database: those that pages show."""
LOOK_S = 0.02
NEWEST = """
SELECT (extract(epoch FROM max(time)) * 1000)::int8 FROM bars WHERE symbol = %s AND interval = '1m'
"""
RULE = "INSERT INTO alert_rules (name, version, definition) VALUES ('bench', 1, '{}') ON CONFLICT DO NOTHING"
ALERT = "INSERT INTO alert_outbox (alert_id, symbol, alert, published_at) VALUES (%s, %s, %s, now())"


@dataclass(kw_only=True)
class Publisher:
    """What is published where, from the minute `first` [epoch ms] on; `told` collects the lines."""

    settings: Settings
    symbols: Sequence[str]
    first: int
    seconds: float
    told: list[tuple[str, float, float]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Return the database's address."""
        return self.settings.database_url.get_secret_value()

    def run(self) -> None:
        """Publish everything side by side."""
        works: tuple[Callable[[], None], ...] = (self.look, self.train, self.tune, self.warn)
        threads = [threading.Thread(target=work, daemon=True) for work in works]
        for thread in threads:
            thread.start()
        asyncio.run(self.stream())
        self.ended.set()
        for thread in threads:
            thread.join()

    def tell(self, kind: str, mark: float) -> None:
        """Write down that this was published just now."""
        self.told.append((kind, mark, time.time()))

    async def stream(self) -> None:
        """Send a bar of each symbol every second."""
        writer = KafkaWriter(self.settings.broker)
        await writer.start()
        begun, count = time.perf_counter(), 0
        async with asyncio.TaskGroup() as sending:  # one that fails ends all
            while (passed := time.perf_counter() - begun) < self.seconds:
                while count <= passed * len(self.symbols):
                    sending.create_task(self._send(writer, count))
                    count += 1
                await asyncio.sleep(0.005)
        await writer.stop()

    async def _send(self, writer: KafkaWriter, count: int) -> None:
        minute, place = divmod(count, len(self.symbols))
        symbol = self.symbols[place]
        await writer.send(records.of(symbol, self.first, minute))
        self.tell(f"bar {symbol}", self.first + minute * records.MINUTE_MS)

    def look(self) -> None:
        """Look for the newest bars in the database."""
        newest: dict[str, int] = {}
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not self.ended.wait(LOOK_S):
                for symbol in self.symbols[:WATCHED]:
                    row = connection.execute(NEWEST, [symbol]).fetchone()
                    if row and row[0] is not None and row[0] != newest.get(symbol):
                        newest[symbol] = row[0]
                        self.tell(f"stored {symbol}", row[0])

    def train(self) -> None:
        """Log an epoch a second, as a run of the pipeline does."""
        with training(self.settings) as (tell, log):
            epoch = 0
            while not self.ended.wait(1.0):
                epoch += 1
                tell(epoch)
                self.tell("log", epoch)
                log(epoch)
                self.tell("curve", epoch)

    def tune(self) -> None:
        """Add a trial a second."""
        study, number = Shared(self.url, stored.STUDY, stored.SPACE, MedianPruner(), 0), stored.TRIALS
        while not self.ended.wait(1.0):
            stored.add_trial(study, number)
            self.tell("trial", number)
            number += 1

    def warn(self) -> None:
        """Make an alert a second."""
        number = 0
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(RULE)
            while not self.ended.wait(1.0):
                number += 1
                alert = Alert(
                    alert_id=f"bench-{number}",
                    rule="bench",
                    symbol=self.symbols[0],
                    time=self.first,
                    severity="info",
                    message=f"mark {number}.",
                )
                connection.execute(ALERT, (alert.alert_id, alert.symbol, msgspec.json.encode(alert)))
                self.tell("alert", number)


def main() -> None:
    """Publish, and write down when."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("first", type=int, help="the first minute [epoch ms]")
    parser.add_argument("out", type=Path)
    parser.add_argument("symbols", nargs="+")
    options = parser.parse_args()
    publisher = Publisher(
        settings=Settings(home=options.home), symbols=options.symbols, first=options.first, seconds=options.seconds
    )
    publisher.run()
    options.out.write_text("".join(f"{json.dumps(line)}\n" for line in publisher.told))


if __name__ == "__main__":
    main()
