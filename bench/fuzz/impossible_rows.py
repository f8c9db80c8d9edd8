"""What no row may be: a query a table that finds the rows which are impossible, by the limits of `topics.limits`."""

from collections.abc import Callable
from itertools import pairwise

from topics.limits import (
    EARLIEST,
    END_OF_TIME,
    LABEL,
    LEAST_AMOUNT,
    LEAST_PRICE,
    LEAST_SCALE,
    MAX_DISSIMILARITY,
    MOST_AMOUNT,
    MOST_HORIZON,
    MOST_PRICE,
    MOST_QUOTE,
    MOST_RETURN,
    MOST_SCALE,
    MOST_VALUE,
    MOST_VOLUME,
    SYMBOL,
    VERSION,
)

AHEAD = "now() + interval '24 hours 5 minutes'"
MARKET = f"NOT time BETWEEN to_timestamp({EARLIEST // 1000}) AND {AHEAD}"
ANY_TIME = f"NOT time BETWEEN to_timestamp(0) AND {AHEAD}"
WRONG_SYMBOL = f"(symbol !~ '{SYMBOL}' OR length(symbol) > 64)"


def beyond(column: str, least: float, most: float) -> str:
    """Return the condition that a number is none, or out of bounds; NULL is neither. NaN is above all others in SQL."""
    return f"NOT ({column} BETWEEN {least!r}::float8 AND {most!r}::float8)"


def wrong_label(column: str) -> str:
    """Return the condition that a text is no label."""
    return f"({column} !~ '{LABEL}' OR length({column}) > 64)"


QUANTILES = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")
DECREASE = " OR ".join(f"{low} > {high}" for low, high in pairwise(QUANTILES))
LIMIT = '"limit"'
PRICES = " OR ".join(beyond(name, LEAST_PRICE, MOST_PRICE) for name in ("open", "high", "low", "close"))

CONDITIONS = {
    "ticks": f"{MARKET} OR {WRONG_SYMBOL} OR {beyond('price', LEAST_PRICE, MOST_PRICE)} OR "
    f"{beyond('amount', LEAST_AMOUNT, MOST_AMOUNT)} OR side NOT IN ('buy', 'sell')",
    "bars": f"{MARKET} OR {WRONG_SYMBOL} OR {PRICES} OR low > least(open, close) OR high < greatest(open, close) OR "
    f"{beyond('volume', 0.0, MOST_VOLUME)} OR {beyond('buy_volume', 0.0, MOST_VOLUME)} OR "
    f"{beyond('quote_volume', 0.0, MOST_QUOTE)} OR trades < 0 OR gap < 0 OR buy_trades < 0 OR "
    f"{beyond('market_return', -MOST_RETURN, MOST_RETURN)} OR {beyond('lead_return', -MOST_RETURN, MOST_RETURN)} OR "
    f"{beyond('market_rank', 0.0, 1.0)}",
    "features": f"{MARKET} OR {WRONG_SYMBOL} OR {beyond('close', LEAST_PRICE, MOST_PRICE)} OR "
    f"{wrong_label('fingerprint')} OR NOT ({-MOST_VALUE!r}::float8 <= ALL (array_remove(values, NULL)) AND "
    f"{MOST_VALUE!r}::float8 >= ALL (array_remove(values, NULL)))",
    "regimes": f"{MARKET} OR {WRONG_SYMBOL} OR {beyond('change_point', 0.0, 1.0)} OR "
    "EXISTS (SELECT FROM jsonb_each_text(posterior) AS p(k, v) WHERE NOT v::float8 BETWEEN 0 AND 1 OR length(k) > 200)",
    "predictions": f"{MARKET} OR {WRONG_SYMBOL} OR {wrong_label('model')} OR {wrong_label('version')} OR "
    f"horizon NOT BETWEEN 1 AND {MOST_HORIZON} OR {beyond('price', LEAST_PRICE, MOST_PRICE)} OR "
    f"{beyond('mean', -MOST_RETURN, MOST_RETURN)} OR {beyond('scale', LEAST_SCALE, MOST_SCALE)} OR {DECREASE} OR "
    f"{beyond('q05', -MOST_RETURN, MOST_RETURN)} OR {beyond('q95', -MOST_RETURN, MOST_RETURN)} OR "
    f"{beyond('p_up', 0.0, 1.0)} OR {beyond('dissimilarity', 0.0, MAX_DISSIMILARITY)} OR role IS NULL",
    "outcomes": f"{MARKET} OR {WRONG_SYMBOL} OR {wrong_label('model')} OR {wrong_label('version')} OR "
    f"horizon NOT BETWEEN 1 AND {MOST_HORIZON} OR NOT target_time BETWEEN to_timestamp({EARLIEST // 1000}) AND "
    f"to_timestamp({END_OF_TIME // 1000}) OR status IS NULL OR {beyond('realised', -MOST_RETURN, MOST_RETURN)} OR "
    f"{beyond('absolute_error', 0.0, 2 * MOST_RETURN)} OR {beyond('pinball', 0.0, 2 * MOST_RETURN)} OR "
    f"{beyond('naive_absolute_error', 0.0, 2 * MOST_RETURN)} OR role IS NULL",
    "alerts": f"{ANY_TIME} OR {WRONG_SYMBOL} OR severity NOT IN ('info', 'warning', 'critical') OR "
    f"{beyond('value', -MOST_VALUE, MOST_VALUE)} OR suppressed < 0 OR rule_version < 0 OR message ~ '\\x00'",
    "gaps": f'NOT start BETWEEN to_timestamp({EARLIEST // 1000}) AND {AHEAD} OR "end" < start OR {WRONG_SYMBOL} OR '
    "trades < 0",
    "model_events": f"{ANY_TIME} OR length(model) > 200 OR event NOT IN ('loaded', 'refused', 'serving') OR number < 0",
    "drift": f"{ANY_TIME} OR {wrong_label('model')} OR {wrong_label('version')} OR "
    f"{beyond('statistic', -MOST_VALUE, MOST_VALUE)} OR {beyond(LIMIT, -MOST_VALUE, MOST_VALUE)} OR "
    "kind NOT IN ('errors', 'coverage', 'features', 'dissimilarity', 'expiry')",
    "model_deployments": f"champion !~ '{VERSION}' OR standby !~ '{VERSION}'",
    "dead_letters": '"offset" < 0 OR "row" < 0 OR "partition" < 0 OR octet_length(value) > 4194304',
    "model_skill": f"{ANY_TIME} OR NOT abs(pinball_skill) < 'infinity' OR {beyond('coverage', 0.0, 1.0)}",
}
"""By table or view the condition of an impossible row."""


def impossible(asked: Callable[[str], list[tuple[object, ...]]]) -> list[str]:
    """Return a line for each table with impossible rows: how many, and one of them."""
    lines = []
    for table, condition in CONDITIONS.items():
        results = asked(f"SELECT count(*) OVER (), t.* FROM {table} AS t WHERE {condition} LIMIT 1")  # noqa: S608 - ours
        if results:
            lines.append(f"{table}: {results[0][0]} impossible rows, such as {str(results[0][1:])[:500]}")
    return lines
