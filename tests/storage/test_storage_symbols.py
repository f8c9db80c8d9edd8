"""The spelling of a market in SQL is that of the rest."""

import psycopg
import pytest

from topics.markets import canonical

pytestmark = pytest.mark.services

WRITTEN = (
    *(
        "BTC/USDT",
        "btc/usdt",
        " BTC-USDT ",
        "BTC_USDT",
        "BTCUSDT",
        "1000PEPE/USDT:USDT",
        "BTC/USDT:USDT",
        "BTC/USD:BTC",
    ),
    *("BTC/USDT:USDT-240329", "BTC-USDT-SWAP", "BTC-USD-SWAP", "BTCUSDT_PERP", "BTCUSD_PERP", "BTCUSDT.P", "ETHUSD.P"),
    *("币安人生/USDT", "$ANALOS/USDT", "BTC", "WORKER", "BTCUSDT:USDT", "BTCUSD:BTC", "FUZZ-7", "BRK.B"),
)


def test_sql_spells_as_python_does(database: str) -> None:
    with psycopg.connect(database) as connection:
        values = {text: connection.execute("SELECT symbol_of(%s)", (text,)).fetchone() for text in WRITTEN}
    assert values == {text: (canonical(text),) for text in WRITTEN}
