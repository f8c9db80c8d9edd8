"""The kinds of file that can be replayed, one module a kind or family; the first that recognises a head reads it."""

from sources.formats import (
    binance,
    bitcoin_historical,
    coin_daily,
    coinapi,
    cryptodatadownload,
    gresearch,
    headerless,
    headerless_trades,
    lean,
    plain,
    trades,
    venue_headers,
)
from sources.tables.layout import Source

SOURCES: tuple[Source, ...] = (
    gresearch.SOURCE,
    bitcoin_historical.SOURCE,
    coin_daily.SOURCE,
    plain.PAIRS,
    binance.SOURCE,
    cryptodatadownload.SOURCE,
    coinapi.SOURCE,
    *venue_headers.SOURCES,
    *lean.SOURCES,
    trades.SOURCE,
    *headerless_trades.SOURCES,
    *headerless.SOURCES,
    plain.SOURCE,
)
