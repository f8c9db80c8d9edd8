"""Rows of several venues or intervals are not made into one series, and what is not needed is told."""

from pathlib import Path

import pytest

from sources.errors import SourceError

T, M = 1_600_000_020_000, 60_000


def _write(
    folder: Path, column: str, cells: list[str], fields: str = "open,high,low,close", row: str = "10,12,9,11"
) -> Path:
    path = folder / "BTCUSDT.csv"
    rows = [f"{cell},{T + at * M},{row}" for at, cell in enumerate(cells)]
    path.write_text("\n".join([f"{column},time,{fields}", *rows]) + "\n")
    return path


@pytest.mark.parametrize(
    ("column", "cells", "what"),
    [
        ("exchange", ["binance", "okx"], "venues"),
        ("venue", ["A", "B"], "venues"),
        ("interval", ["1m", "1h"], "intervals"),
        ("timeframe", ["1m", "5m"], "intervals"),
        ("period", ["1", "60"], "intervals"),
    ],
)
@pytest.mark.parametrize("far", [1, 300])
def test_a_column_of_two_values_is_refused_wherever_they_stand(
    column: str, cells: list[str], what: str, far: int, tmp_path: Path, replayed
) -> None:
    path = _write(tmp_path, column, [cells[0]] * far + [cells[1]] * 3)
    with pytest.raises(SourceError, match=f"rows of several {what}, '{cells[0]}' and '{cells[1]}'") as error:
        replayed(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("column", ["exchange", "venue", "interval", "timeframe"])
def test_a_column_of_one_value_is_listed_as_not_needed(column: str, tmp_path: Path, replayed) -> None:
    result = replayed(_write(tmp_path, column, ["1m"] * 3 + [""]))
    assert (len(result.bars), result.counts.understood[0].needless) == (4, [column])


def test_trades_of_two_venues_are_refused(tmp_path: Path, replayed) -> None:
    path = _write(tmp_path, "exchange", ["binance", "okx"], "price,amount", "10,1")
    with pytest.raises(SourceError, match="several venues"):
        replayed(path)


@pytest.mark.parametrize("header", ["close_time,quote_av,ignore", "quote_av,ignore", "close_time,tb_base_av,quote_av"])
def test_an_unknown_column_is_listed_as_left_out(header: str, tmp_path: Path, replayed) -> None:
    cells = {"close_time": str(T + M - 1)}
    row = ",".join(["10,12,9,11,5", *(cells.get(name, "55") for name in header.split(","))])
    path = _write(tmp_path, "exchange", ["binance"] * 3, f"open,high,low,close,volume,{header}", row)
    understood = replayed(path).counts.understood[0]
    assert "quote_av" in understood.left_out
    assert "quote_av" not in understood.needless
