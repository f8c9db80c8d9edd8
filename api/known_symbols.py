"""Refuses unknown symbols with the nearest name, instead of answering without rows."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from api.database import Database
from api.problems import ProblemError, shorten
from stack.servers import MEASURED
from storage.sql_blocks import load

QUERIES = load("api")
NO_MARKETS = ("ALL", *(name.upper() for name in MEASURED))
"""Symbols of alerts and gaps that are no markets."""
OF_ALL = ("alerts", "gaps")
NEAREST, LIKENESS = 3, 0.5


def check(database: Database, what: str, symbols: Iterable[str]) -> None:
    """Raise ProblemError (404) if one of the symbols is in no table, psycopg.Error and PoolTimeout.

    `what` is the requested table or stream.
    """
    there = [row[0] for row in database.rows(QUERIES["known"], {}) if row[0] not in NO_MARKETS]
    for symbol in symbols:
        if symbol not in there and not (what in OF_ALL and symbol in NO_MARKETS):
            raise ProblemError(404, f"symbol: there is no {symbol}; {instead(symbol, there)}")


def check_features(database: Database, features: Iterable[str]) -> None:
    """Raise ProblemError (422) if one of the features was never stored; else as `check`."""
    there = [row[0] for row in database.rows(QUERIES["feature_names"], {})]
    for feature in features:
        if feature not in there:
            raise ProblemError(422, f"feature: there is no {shorten(feature, 100)}; {instead(feature, there)}")


def instead(symbol: str, there: Sequence[str]) -> str:
    """Return the nearest names to an unknown one, as a message.

    >>> instead("BTCUSTD", ["BTCUSDT", "ETHUSDT", "XRPEUR"])
    'the nearest are BTCUSDT, ETHUSDT'
    >>> instead("BTCUSDT", [])
    'nothing is stored yet'
    """
    if not there:
        return "nothing is stored yet"
    near = get_close_matches(symbol, there, NEAREST, LIKENESS)
    if not near:
        return "none is like it"
    return f"the nearest {'is' if len(near) == 1 else 'are'} {', '.join(near)}"
