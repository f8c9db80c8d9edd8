"""What the default stack must have stored of the bundled sample, and of what is replayed after it."""

from default_stack import Stack
from story_market import MINUTE_MS

SYMBOLS = ("BTCUSDT", "ETHUSDT")
SAMPLE_FROM, SAMPLE_END = 1_748_044_800_000, 1_748_964_660_000
"""The first bar that `up` replays, after those that it trains on, and the last one of the sample."""
SAMPLE_BARS = (SAMPLE_END - SAMPLE_FROM) // MINUTE_MS + 1
TABLES = ("bars", "features")
CHAMPIONS = """
SELECT model, count(*), count(DISTINCT (symbol, time)) FROM predictions
WHERE role = 'champion' AND horizon = 1 GROUP BY model
"""


def everything_is_stored(stack: Stack, bars: int) -> bool:
    """Return whether each table has a row for each bar, and every forecast by the champions, each once."""
    each = len(SYMBOLS) * bars
    if any(stack.sql(f"SELECT count(*) FROM {table}") != [(each,)] for table in TABLES):  # noqa: S608 - our own names
        return False
    return sorted(stack.sql(CHAMPIONS)) == [(model, each, each) for model in ("gbm", "naive", "online")]
