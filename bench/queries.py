"""Seconds that each SQL statement of the README and the docs takes: `python -m bench.queries [--days N] [--symbols N]`.

Starts a TimescaleDB of its own on a free port, in a folder that is removed afterwards, and fills it with minutes of
made-up bars, features, predictions and outcomes of the default models at the default horizons. `seconds` is the first
run of a statement, `again` the faster of two more.
"""

import argparse
import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from bench.replay import running
from bench.report import save
from features.definition import Definition
from models.registry.names import DEFAULT_MODELS
from settings import ADDRESSES, ROOT
from storage.timescale import migrate
from topics.records import HORIZONS

START = datetime(2025, 5, 1, tzinfo=UTC)
DAYS, SYMBOLS = 30, 20


def statements() -> dict[str, str]:
    """Return every SQL statement of the README, CONTRIBUTING and the docs, by its page and place there."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    values: dict[str, str] = {}
    for page in pages:
        blocks = re.findall(r"^```sql\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        each = [one.strip() for one in "\n".join(blocks).split(";") if one.strip()]
        values |= {f"{page.name} {number}": one for number, one in enumerate(each, 1)}
    return values


def fill(connection: psycopg.Connection, symbols: int, days: int, models: Sequence[str] = DEFAULT_MODELS) -> None:
    """Store days of minutes as the pipeline lays them: in the order of time, each minute's symbols together."""
    definition = Definition()
    connection.execute("SELECT setseed(0.5)")
    connection.execute(
        "INSERT INTO feature_definitions VALUES (%s, %s)", (definition.fingerprint, list(definition.names))
    )
    connection.execute("INSERT INTO contexts (fingerprint, regime) VALUES (%s, 'calm')", (definition.fingerprint,))
    names = ["BTCUSDT", *(f"S{number:02}USDT" for number in range(1, symbols))]
    connection.execute(SERIES, {"symbols": names, "models": list(models), "horizons": list(HORIZONS)})
    for model, number in ((model, number) for model in models for number in (1, 2)):
        connection.execute(DECISIONS, (model, number, START))
    for day in range(days):
        span = {"start": START + timedelta(days=day), "end": START + timedelta(days=day + 1), "symbols": names}
        for statement in (BARS, FEATURES, PREDICTIONS, OUTCOMES):
            connection.execute(statement, span | {"print": definition.fingerprint, "count": len(definition.names)})
    connection.execute(HOURS)
    while (connection.execute("SELECT sum_scores(interval '0', 500)").fetchone() or (0,))[0]:
        pass
    connection.execute("ANALYZE")


MINUTES = (
    "generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '1 minute', interval '1 minute') AS t"
)
SERIES = """
INSERT INTO series (symbol, interval, model, version, horizon)
SELECT s, '1m', m, 'v1', h
FROM unnest(%(symbols)s::text[]) s, unnest(%(models)s::text[]) m, unnest(%(horizons)s::int[]) h
"""
DECISIONS = """
INSERT INTO model_deployments (model, number, action, champion, challengers, fingerprint, time, decided_by, why)
VALUES (%s, %s, 'serve', 'v1', '{}', 'print', %s, 'bench', 'made up')
"""
BARS = f"""
INSERT INTO bars (symbol, interval, time, open, high, low, close, volume, gap)
SELECT s, '1m', t, 100, 101, 99, 100 + random(), random(), 0 FROM {MINUTES}, unnest(%(symbols)s::text[]) s
"""  # noqa: S608 - ours, as all here
FEATURES = f"""
INSERT INTO features (symbol, interval, time, close, fingerprint, values)
SELECT s, '1m', t, 100 + random(), %(print)s, array_fill(random(), ARRAY[%(count)s::int])
FROM {MINUTES}, unnest(%(symbols)s::text[]) s
"""  # noqa: S608 - likewise
PREDICTIONS = f"""
INSERT INTO prediction_rows (time, series_id, context_id, price, mean, scale, q05, q10, q25, q50, q75, q90, q95, p_up)
SELECT t, series_id, 1, 100, random(), random(), -3, -2, -1, random(), 1, 2, 3, random() FROM {MINUTES}, series
"""  # noqa: S608 - likewise
OUTCOMES = f"""
INSERT INTO outcome_rows (time, target_time, series_id, status, interval_hit, direction_hit, realised, absolute_error,
    naive_absolute_error, pinball)
SELECT t, t + horizon * interval '1 minute', series_id, 's', random() < 0.9, random() < 0.5, random(), random(),
    random(), random()
FROM {MINUTES}, series
"""  # noqa: S608 - likewise
HOURS = """
INSERT INTO stale_score_hours (symbol, interval, hour)
SELECT DISTINCT s.symbol, s.interval, o.hour
FROM (SELECT DISTINCT series_id, time_bucket(interval '1 hour', time) AS hour FROM outcome_rows) o
JOIN series s USING (series_id)
"""


def timed(url: str, statement: str) -> Iterator[float]:
    """Yield the seconds of each of three runs of a statement, rows and all, on a connection of its own."""
    with psycopg.connect(url) as connection:
        for _ in range(3):
            begun = time.perf_counter()
            connection.execute(statement.encode()).fetchall()
            yield round(time.perf_counter() - begun, 3)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--symbols", type=int, default=SYMBOLS)
    parser.add_argument("--save", action="store_true", help="write the figures to bench/results")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="foretick-queries-"))
    try:
        with running(home, ("postgres",)):
            url = json.loads((home / ADDRESSES).read_text())["database_url"]
            migrate(url)
            begun = time.perf_counter()
            with psycopg.connect(url, autocommit=True) as connection:
                fill(connection, options.symbols, options.days)
            figures: dict[str, object] = {"filled_in_seconds": round(time.perf_counter() - begun)}
            for name, statement in statements().items():
                first, *again = timed(url, statement)
                figures[name] = {"seconds": first, "again": min(again)}
                print(f"{name}: {first} s, again {min(again)} s: {' '.join(statement.split())[:90]}", flush=True)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    if options.save:
        save("queries", f"python -m bench.queries --days {options.days} --symbols {options.symbols}", figures)


if __name__ == "__main__":
    main()
