"""Every real file of a supported kind gives the rows, gaps and repeated rows that the list counts in it."""

import re
from pathlib import Path

import pytest

from settings import ROOT
from sources.errors import SourceError

_SHARED_LIST = "SOURCES.md"
_OTHER_KINDS = ("asset_details.csv", "ws_")
_ROW = re.compile(r"^\| (?P<file>[^|]+?) \| (?P<path>[^|]+?) \| (?P<rows>[\d,]+) \| (?P<rest>.+)\|$")
IMPOSSIBLE = {"bitstampUSD.csv": 1}
"""Files with rows that cannot be: one trade of no amount."""


@pytest.mark.slow
def test_every_file_that_is_listed_is_counted_alike(shared: Path, replayed) -> None:
    listed = list(_listed((shared / _SHARED_LIST).read_text()))
    assert len(listed) > 60
    wrong = []
    for file, rows, gaps, missing, repeated in listed:
        counts = replayed(shared / file).counts
        impossible = IMPOSSIBLE.get(Path(file).name, 0)
        expected = (rows, rows - repeated - impossible, gaps, missing, repeated, impossible)
        results = (
            counts.rows,
            counts.bars + counts.ticks,
            counts.gaps,
            counts.missing_intervals,
            counts.duplicates,
            counts.impossible,
        )
        if results != expected:
            wrong.append((file, results, expected))
    assert wrong == []


def _listed(text: str):
    folder = ""
    for line in text.splitlines():
        if line.startswith("## "):
            folder = line[3:].split(" from ")[0]
        row = _ROW.match(line)
        if row is None or any(kind in f"{folder}/{row['file']}" for kind in _OTHER_KINDS):
            continue
        cells = [cell.strip() for cell in row["rest"].split("|")]
        gap = re.match(r"(\d+) / (\d+)", cells[2])
        # Several trades of one time are no repetition, and neither are the assets of a long table.
        apart = "trades" in folder or "gresearch" in folder
        repeated = 0 if apart else int(cells[3])
        rows = int(row["rows"].replace(",", ""))
        yield f"{folder}/{row['file']}", rows, int(gap[1]) if gap else 0, int(gap[2]) if gap else 0, repeated


@pytest.mark.parametrize("coin", ["btcusd", "ltcusd"])
def test_the_year_of_minutes_is_read_whole(shared: Path, replayed, coin: str) -> None:
    counts = replayed(shared / "panel_bitfinex_1m" / f"{coin}.parquet").counts
    assert counts.bars == counts.rows == {"btcusd": 514_056, "ltcusd": 392_756}[coin]
    assert counts.bars + counts.missing_intervals == (counts.last - counts.first) // 60_000 + 1
    assert list(counts.symbols) == [coin.upper()]


def test_day_first_and_pristine_files_agree(shared: Path, replayed) -> None:
    pristine = replayed(shared / "no_licence/c_sudalairajkumar/coin_Bitcoin.csv").bars
    dirty = replayed(shared / "no_licence/c_sudalairajkumar_dirty/coin_Bitcoin_dayfirst.csv").bars
    assert [bar.time for bar in dirty] == [bar.time for bar in pristine]
    assert max(abs(a.close / b.close - 1) for a, b in zip(dirty, pristine, strict=True)) < 1e-6


def test_a_websocket_recording_is_an_unknown_format(shared: Path, replayed) -> None:
    with pytest.raises(SourceError, match="unknown format"):
        replayed(shared / "permissive/ws_cryptofeed/KRAKEN.ws.50.0")


def test_the_bundled_sample_is_whole(replayed) -> None:
    counts = replayed(sorted((ROOT / "sample").glob("*.csv.gz"))).counts
    assert counts.symbols == {"BTCUSDT": 43_199, "ETHUSDT": 43_199}
    assert (counts.gaps, counts.duplicates, counts.impossible) == (0, 0, 0)
