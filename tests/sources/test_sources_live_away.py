"""A venue that cannot be reached: one line, exit code 3, and nothing left open."""

import asyncio
import gc
import warnings

import pytest
import typer

from cli import live
from sources.errors import VenueAwayError
from sources.live.exchange import make
from sources.live.service import load_markets

pytestmark = pytest.mark.slow

NOWHERE = "http://127.0.0.1:1"


async def asked(name: str) -> None:
    exchange = make(name, NOWHERE)
    try:
        await load_markets(exchange, name)
    finally:
        await exchange.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["binance", "kraken"])
def test_an_unreachable_venue_is_told_in_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(VenueAwayError) as raised:
        asyncio.run(asked(name))
    assert str(raised.value).startswith(f"{name} cannot be reached: Cannot connect to host 127.0.0.1:1 ")
    assert str(raised.value).endswith("; is the network up?")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of a session that is still open
        gc.collect()
    assert "close" not in capsys.readouterr().out


def test_the_command_exits_3_when_a_venue_cannot_be_reached(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        live._run(asked("kraken"))
    assert ended.value.exit_code == 3
    output = capsys.readouterr().err.splitlines()[-1]
    assert output.startswith("foretick: kraken cannot be reached: ")
