"""What people, spreadsheets and venues write: read right where it is certain, refused in one line where it is not.

Three and more inputs of each kind, none of which is in ../shared/cases.
"""

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from sources.errors import SourceError
from sources.reading.request import ReadRequest
from sources.times.timestamps import unit_of

T = 1_704_067_200_000
"""2024-01-01 00:00 UTC"""
M = 60_000
PRICES = "10,12,9,11"


def _at(time: int, form: str) -> str:
    return f"{datetime.fromtimestamp(time / 1_000, UTC):{form}}"


def _file(folder: Path, name: str, header: str, row: str, form: str = "", rows: int = 4, step: int = M) -> Path:
    """Write rows with {t} filled by the time in that form, ms where there is none."""
    times = [T + place * step for place in range(rows)]
    lines = [row.replace("{t}", _at(time, form) if form else str(time)) for time in times]
    path = folder / name
    path.write_text("\n".join([*([header] if header else []), *lines]) + "\n")
    return path


def _is_right(result, rows: int = 4, step: int = M) -> None:
    assert [bar.time for bar in result.bars] == [T + place * step for place in range(rows)]
    assert {(bar.open, bar.high, bar.low, bar.close) for bar in result.bars} == {(10.0, 12.0, 9.0, 11.0)}
    assert result.counts.impossible == 0


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d %H:%M:%S GMT",
        "%Y/%m/%d %H:%M",
        "%Y.%m.%d %H:%M:%S",
        "%d.%m.%Y %H:%M:%S",
        "%b %d %Y %H:%M",
        "%d-%b-%Y %H:%M:%S",
        "%Y%m%d%H%M",
        "%Y%m%d%H%M%S",
        "%Y-%m-%d %I:%M %p",
        "%Y-%m-%dT%H:%M:%S+0000",
    ],
)
def test_times_in_common_spellings_are_read(form: str, tmp_path: Path, replayed) -> None:
    _is_right(replayed(_file(tmp_path, "BTCUSD.csv", "date,open,high,low,close", f"{{t}},{PRICES}", form)))


@pytest.mark.parametrize(
    ("header", "day", "clock"),
    [
        ("date,time,open,high,low,close", "%Y-%m-%d", "%H:%M"),
        ("<DTYYYYMMDD>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>", "%Y%m%d", "%H%M%S"),
        ("Date,Time,Open,High,Low,Close", "%m/%d/%Y", "%I:%M:%S %p"),
        ("Date,Hour,Open,High,Low,Close", "%d.%m.%Y", "%H:%M:%S"),
    ],
)
def test_day_and_time_of_day_in_two_columns_are_read(
    header: str, day: str, clock: str, tmp_path: Path, replayed
) -> None:
    _is_right(replayed(_file(tmp_path, "BTCUSD.csv", header, f"{{t}},{PRICES}", f"{day},{clock}")))


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("BTCUSDT-1m.csv", 60 * M),
        ("BTCUSDT-1h.csv", 240 * M),
        ("BTCUSDT_1m_1h.csv", 60 * M),
        ("X_BTCUSDT_5m.csv", 15 * M),
    ],
)
def test_few_rows_that_are_all_one_multiple_of_the_named_interval_apart(
    name: str, step: int, tmp_path: Path, replayed
) -> None:
    with pytest.raises(SourceError, match="the name says"):
        replayed(_file(tmp_path, name, "time,open,high,low,close", f"{{t}},{PRICES}", step=step))


@pytest.mark.parametrize(
    ("name", "rows"), [("BTCUSDT-1M.csv", 4), ("BINANCE_BTCUSDT, 1M.csv", 12), ("BTCUSDT-3M-2024.csv", 1)]
)
def test_a_capital_m_is_months_where_the_rows_are_no_minutes(name: str, rows: int, tmp_path: Path, replayed) -> None:
    path = _file(tmp_path, name, "time,open,high,low,close", f"{{t}},{PRICES}", rows=rows, step=30 * 1440 * M)
    with pytest.raises(SourceError, match="is months, and bars of those are not served"):
        replayed(path)


def test_a_capital_m_is_minutes_where_the_rows_are(tmp_path: Path, replayed) -> None:
    _is_right(replayed(_file(tmp_path, "BTCUSDT-1M.csv", "time,open,high,low,close", f"{{t}},{PRICES}")))


@pytest.mark.parametrize(("name", "lasts"), [("BTCUSDT-1d.csv", M), ("BTCUSDT-1m.csv", 60 * M), ("BTCUSDT-1h.csv", M)])
def test_a_close_time_that_contradicts_the_name_of_a_short_file(
    name: str, lasts: int, tmp_path: Path, replayed
) -> None:
    header = "open_time,open,high,low,close,volume,close_time"
    path = _file(tmp_path, name, header, f"{{t}},{PRICES},1,{T + lasts - 1}", rows=1)
    with pytest.raises(SourceError, match="by the column with their end"):
        replayed(path)


@pytest.mark.parametrize(
    ("name", "over", "goes_on"),
    [
        ("isClosed", "true", "f"),
        ("closed", "yes", "no"),
        ("complete", "Y", "N"),
        ("isFinal", "True", "False"),
        ("finished", "1.0", "0.0"),
        ("is_open", "false", "true"),
        ("in_progress", "0", "1"),
        ("status", "closed", "open"),
    ],
)
def test_an_unfinished_bar_is_left_out(name: str, over: str, goes_on: str, tmp_path: Path, replayed) -> None:
    path = _file(tmp_path, "BTCUSD.csv", f"time,open,high,low,close,{name}", f"{{t}},{PRICES},{over}")
    path.write_text(path.read_text() + f"{T + 4 * M},{PRICES},{goes_on}\n")
    result = replayed(path)
    _is_right(result)
    assert result.counts.unfinished == 1


def test_column_x_of_binance_klines_marks_unfinished_bars(tmp_path: Path, replayed) -> None:
    path = _file(tmp_path, "BTCUSD.csv", "t,o,h,l,c,x", f"{{t}},{PRICES},true")
    path.write_text(path.read_text() + f"{T + 4 * M},{PRICES},false\n")
    _is_right(replayed(path))


@pytest.mark.parametrize(("name", "cell"), [("closed", "perhaps"), ("is_open", "2"), ("confirm", "vrai")])
def test_a_word_that_does_not_say_whether_a_bar_is_over(name: str, cell: str, tmp_path: Path, replayed) -> None:
    path = _file(tmp_path, "BTCUSD.csv", f"time,open,high,low,close,{name}", f"{{t}},{PRICES},{cell}")
    with pytest.raises(SourceError, match="does not say whether a bar is over") as error:
        replayed(path)
    assert repr(cell) in str(error.value)


@pytest.mark.parametrize("cell", ["2024-01-01 00:00 EST", "tomorrow", "42", "99999999", "20241301", "12:00"])
def test_a_time_that_is_none_is_shown_with_its_column(cell: str, tmp_path: Path, replayed) -> None:
    path = _file(tmp_path, "BTCUSD_1.csv", "date,open,high,low,close", f"{cell},{PRICES}")
    with pytest.raises(SourceError, match="no time can be read") as error:
        replayed(path)
    assert repr(cell) in str(error.value)
    assert "'date'" in str(error.value)
    assert "interval" not in str(error.value)


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        ('"10,000.50"', 10_000.5),
        ("10 000.5", 10_000.5),
        ("10'000.5", 10_000.5),
        ("€10000.5", 10_000.5),
        ('"10.000,5"', 10_000.5),
        ('"10000,5"', 10_000.5),
        ("10.0005K", 10_000.5),
        ("1.00005e4", 10_000.5),
        ("+10000.5", 10_000.5),
    ],
)
def test_numbers_in_common_spellings_are_read(cells: str, value: float, tmp_path: Path, replayed) -> None:
    path = _file(tmp_path, "BTCUSD.csv", "time,open,high,low,close", "{t}," + ",".join([cells] * 4))
    assert {bar.close for bar in replayed(path).bars} == {value}


@pytest.mark.parametrize("cell", ['"42,000"', "inf", "1e999", "0x10", "12abc", "--5", "1.2.3.4"])
def test_a_number_that_is_none_or_may_be_two_is_refused_with_its_own_text(cell: str, tmp_path: Path, replayed) -> None:
    path = _file(tmp_path, "BTCUSD.csv", "time,open,high,low,close", f"{{t}},{cell},{cell},{cell},{cell}")
    result = replayed(path)
    assert result.bars == []
    assert all(cell.strip('"') in letter.reason and "'open'" in letter.reason for letter in result.dead)
    assert [match.rows for match in result.counts.refused.values()] == [4]


@pytest.mark.parametrize(
    "above",
    [
        "sep=,",
        "Exported by a tool",
        "// made on a day\n// of a year",
        "\n\n",
        '"Bitcoin, in dollars"\n\n# end of the notes',
        "Symbol: BTCUSD; Zone: UTC",
    ],
)
def test_lines_above_the_header_are_skipped(above: str, tmp_path: Path, replayed) -> None:
    _is_right(replayed(_file(tmp_path, "BTCUSD.csv", f"{above}\ntime,open,high,low,close,volume", f"{{t}},{PRICES},5")))


def test_a_broken_first_row_is_counted_as_impossible(tmp_path: Path, replayed) -> None:
    path = _file(tmp_path, "BTCUSD_1.csv", "1704067100000,10", f"{{t}},{PRICES},5")
    result = replayed(path)
    assert (len(result.bars), result.counts.impossible) == (4, 1)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_common_encodings_are_read(encoding: str, tmp_path: Path, replayed) -> None:
    path = _file(tmp_path, "BTCUSD.csv", "time,open,high,low,close,volume", f"{{t}},{PRICES},5")
    text = path.read_text()
    path.write_bytes((b"\xff\xfe" if encoding == "utf-16-le" else b"") + text.encode(encoding))
    _is_right(replayed(path))


@pytest.mark.parametrize(
    "document",
    [
        '{"symbol":"BTCUSD","data":[%s]}',
        '{"result":{"symbol":"BTCUSD","list":[%s]},"code":0}',
        '{"Response":"Success","Data":{"Aggregated":false,"Data":[%s]}}',
        "[%s,]".replace(",]", "]"),
    ],
)
def test_rows_within_a_json_document_are_found(document: str, tmp_path: Path, replayed) -> None:
    rows = ",".join(
        f'{{"time":{T + at * M},"open":10,"high":12,"low":9,"close":11,"x":{{"y":[1]}}}}' for at in range(4)
    )
    path = tmp_path / "BTCUSD.json"
    path.write_text(document % rows)
    _is_right(replayed(path))


def test_rows_that_hold_rows_are_read_in_blocks(tmp_path: Path, replayed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sources.reading.json_rows.BLOCK_BYTES", 300)
    row = '{"time":%d,"open":10,"high":12,"low":9,"close":11,"more":[{"a":"}, {"},{"b":NaN}]}'
    path = tmp_path / "BTCUSD.json"
    path.write_text("[" + ", ".join(row % (T + at * M) for at in range(60)) + "]")
    _is_right(replayed(path), 60)


@pytest.mark.parametrize("name", [None, "index", "time"])
def test_the_index_column_of_a_parquet_frame_is_the_time(name: str | None, tmp_path: Path, replayed) -> None:
    column = "__index_level_0__" if name is None else name
    prices = dict(zip(("open", "high", "low", "close"), (10.0, 12.0, 9.0, 11.0), strict=True))
    times = pa.array([T + at * M for at in range(4)], pa.timestamp("ms", tz="UTC"))
    table = pa.table({**{key: [value] * 4 for key, value in prices.items()}, column: times})
    pa.parquet.write_table(table, tmp_path / "BTCUSD.parquet")
    _is_right(replayed(tmp_path / "BTCUSD.parquet"))


def test_the_first_column_of_to_csv_is_the_index(tmp_path: Path, replayed) -> None:
    _is_right(replayed(_file(tmp_path, "BTCUSD.csv", ",open,high,low,close", f"{{t}},{PRICES}", "%Y-%m-%d %H:%M:%S")))


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("spot_ETH_BTC_5m.csv", "ETHBTC"),
        ("gateio_PEPE_USDT-1m.csv", "PEPEUSDT"),
        ("USDTBRL-1m-2024-01.csv", "USDTBRL"),
        ("klines-1h-ADAUSDC.csv", "ADAUSDC"),
        ("KRAKEN_ETHEUR, 60.csv", "ETHEUR"),
        ("1INCHUSDT-1m.csv", "1INCHUSDT"),
    ],
)
def test_the_symbol_is_found_in_the_file_name(name: str, symbol: str, tmp_path: Path, replayed) -> None:
    path = _file(tmp_path, name, "time,open,high,low,close", f"{{t}},{PRICES}")
    assert list(replayed(path, ReadRequest(interval="1m")).counts.symbols) == [symbol]


@pytest.mark.parametrize("steps", [[1, 2, 2, 2, 3, 1, 2], [1, 4, 4, 2, 6, 4], [1, 3, 3, 3, 2, 5]])
def test_a_quiet_pair_of_minutes_is_not_of_the_commonest_step(steps: list[int], tmp_path: Path, replayed) -> None:
    minutes = [sum(steps[:place]) for place in range(len(steps) + 1)]
    path = tmp_path / "ALGOEUR.csv"
    path.write_text("\n".join(["time,open,high,low,close", *(f"{T + minute * M},{PRICES}" for minute in minutes)]))
    result = replayed(path)
    assert {bar.interval for bar in result.bars} == {"1m"}
    assert (len(result.bars), result.counts.impossible) == (len(minutes), 0)


@pytest.mark.parametrize(
    ("name", "step", "text"),
    [("BTCUSDT-1m.csv", 60 * M, "1m"), ("BTCUSDT_5min.csv", 24 * 60 * M, "5m"), ("BTCUSD_M15.csv", 60 * M, "15m")],
)
def test_a_name_that_the_rows_contradict_is_refused(name: str, step: int, text: str, tmp_path: Path, replayed) -> None:
    path = _file(tmp_path, name, "time,open,high,low,close", f"{{t}},{PRICES}", rows=30, step=step)
    with pytest.raises(SourceError, match=f"the name says {text}"):
        replayed(path)
    assert len(replayed(path, ReadRequest(interval=text)).bars) == 30


@pytest.mark.parametrize(
    ("step", "interval"), [(7 * 24 * 60 * M, "7d"), (3 * 24 * 60 * M, "3d"), (30 * 24 * 60 * M, "30d")]
)
def test_bars_of_more_than_a_day_are_not_served(step: int, interval: str, tmp_path: Path, replayed) -> None:
    path = _file(tmp_path, "BTCUSDT.csv", "time,open,high,low,close", f"{{t}},{PRICES}", step=step)
    with pytest.raises(SourceError, match=f"bars of {interval} are not served"):
        replayed(path)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("timestamp,bid_price,bid_amount,ask_price,ask_amount", "these are quotes"),
        ("timestamp,symbol,side,price,amount,is_snapshot", "this is an order book"),
        ("time,price,size,order_id,update_type", "unknown format"),
        ("timestamp,funding_rate,price,amount", "these are funding rates"),
    ],
)
def test_what_is_no_list_of_trades_is_not_taken_for_one(header: str, words: str, tmp_path: Path, replayed) -> None:
    path = _file(tmp_path, "BTCUSDT.csv", header, ",".join(["{t}", *["1"] * header.count(",")]))
    with pytest.raises(SourceError, match=words):
        replayed(path)


@pytest.mark.parametrize(
    "member", ["notes.txt", "README.md", "BTCUSDT.zip.CHECKSUM", "picture.png", "empty.csv", "a.json"]
)
def test_what_is_no_table_in_a_zip_is_passed_over(member: str, tmp_path: Path, replayed) -> None:
    good = _file(tmp_path, "BTCUSDT-1m.csv", "time,open,high,low,close", f"{{t}},{PRICES}")
    content = {"picture.png": b"\x89PNG\r\n\x1a\n\x00\x00", "empty.csv": b"", "a.json": b'{"a": [1, 2]}'}
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr(member, content.get(member, b"Some words.\nAnd more of them.\n"))
        archive.write(good, "BTCUSDT-1m.csv")
    result = replayed(tmp_path / "all.zip")
    _is_right(result)
    assert list(result.counts.passed_over) == [f"all.zip:{member}"]


def test_a_zip_without_a_table_is_refused(tmp_path: Path, replayed) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("notes.txt", "Some words.\n")
    with pytest.raises(SourceError, match="holds no table to replay"):
        replayed(tmp_path / "all.zip")


@pytest.mark.parametrize(
    ("columns", "cells", "field"),
    [
        ("volume,taker_buy_volume", "5,6", "buy_volume"),
        ("volume,taker_buy_volume", "5,-1", "buy_volume"),
        ("volume,quote_volume", "5,-50", "quote_volume"),
        ("volume,trades", "5,-1", "trades"),
        ("volume,trades", "5,1e20", "trades"),
    ],
)
def test_a_number_beside_the_prices_that_cannot_be_is_unknown(
    columns: str, cells: str, field: str, tmp_path: Path, replayed
) -> None:
    path = _file(tmp_path, "BTCUSDT.csv", f"time,open,high,low,close,{columns}", f"{{t}},{PRICES},{cells}")
    result = replayed(path)
    _is_right(result)
    assert {getattr(bar, field) for bar in result.bars} == {None}
    assert result.counts.unknown == {field: 4}


@pytest.mark.parametrize("shift", [14_789, 30_000, 1_000])
def test_minutes_that_are_shifted_for_a_while_are_at_their_minute(shift: int, tmp_path: Path, replayed) -> None:
    times = [T + at * M + (shift if at >= 30 else 0) for at in range(50)]
    path = tmp_path / "BTCUSDT-1m.csv"
    path.write_text("\n".join(["time,open,high,low,close", *(f"{time},{PRICES}" for time in times)]))
    result = replayed(path)
    _is_right(result, 50)
    assert result.counts.shifted == 20


@pytest.mark.parametrize(
    ("name", "rows", "words"),
    [
        (
            "20240101_btcusd_minute_quote.csv",
            "0,10,12,9,11,1,10,12,9,11,1\n60000,10,12,9,11,1,10,12,9,11,1\n",
            "quotes",
        ),
        ("btcusd_minute_trade.csv", "0,10,12,9,11,1\n60000,10,12,9,11,1\n", "there is no header"),
        ("20241301_btcusd_minute_trade.csv", "0,10,12,9,11,1\n60000,10,12,9,11,1\n", "there is no header"),
        ("20240101_btcusd_minute_trade.csv", "0,10,12,9,11,1\n99999999,10,12,9,11,1\n", "there is no header"),
    ],
)
def test_a_lean_file_of_quotes_or_of_no_day_is_refused(
    name: str, rows: str, words: str, tmp_path: Path, replayed
) -> None:
    (tmp_path / name).write_text(rows)
    with pytest.raises(SourceError, match=words):
        replayed(tmp_path / name)


def test_bars_that_all_stand_beside_their_interval_are_not_moved(tmp_path: Path, replayed) -> None:
    times = [T + at * 60 * M + 5 * M for at in range(30)]
    path = tmp_path / "BTCUSDT-1h.csv"
    path.write_text("\n".join(["time,open,high,low,close", *(f"{time},{PRICES}" for time in times)]))
    result = replayed(path)
    assert (result.bars, result.counts.impossible) == ([], 30)
    assert list(result.counts.refused) == ["the time is not the start of a 1h interval"]


@pytest.mark.parametrize("end", [1, 1_000])
def test_bars_stamped_with_their_last_moment_are_at_their_start(end: int, tmp_path: Path, replayed) -> None:
    times = [T + (at + 1) * 60 * M - end for at in range(30)]
    path = tmp_path / "BTCUSDT-1h.csv"
    path.write_text("\n".join(["time,open,high,low,close", *(f"{time},{PRICES}" for time in times)]))
    _is_right(replayed(path), 30, 60 * M)


def test_dates_of_which_some_have_the_day_first_and_some_the_month_are_refused(tmp_path: Path, replayed) -> None:
    path = tmp_path / "BTCUSD.csv"
    path.write_text("date,open,high,low,close\n" + "".join(f"{day},{PRICES}\n" for day in ("13/01/2024", "01/14/2024")))
    with pytest.raises(SourceError, match="some dates have the day first"):
        replayed(path)


FIELDS = {"Close": 11, "High": 12, "Low": 9, "Open": 10, "Volume": 5}


@pytest.mark.parametrize("corners", [("Price", "Ticker"), ("", ""), ("Attributes", "Symbols")])
@pytest.mark.parametrize("by_ticker", [True, False])
def test_several_symbols_side_by_side_are_a_series_each(
    corners: tuple[str, str], by_ticker: bool, tmp_path: Path, replayed
) -> None:
    factors = {"BTC-USD": 1, "ETH-USD": 2}
    if by_ticker:
        columns = [(field, ticker) for ticker in factors for field in FIELDS]
    else:
        columns = [(field, ticker) for field in FIELDS for ticker in factors]
    fields = ",".join([corners[0], *(field for field, _ in columns)])
    tickers = ",".join([corners[1], *(ticker for _, ticker in columns)])
    lines = [tickers, fields] if by_ticker else [fields, tickers]
    lines.append("Date" + "," * len(columns))
    for day in (1, 2, 3):
        cells = [FIELDS[field] * factors[ticker] for field, ticker in columns]
        # Of a day on which one of them has no price yet its cells are empty.
        empty = [
            ("" if day == 1 and ticker == "ETH-USD" else cell) for cell, (_, ticker) in zip(cells, columns, strict=True)
        ]
        lines.append(",".join(map(str, [f"2024-01-0{day}", *empty])))
    (tmp_path / "all.csv").write_text("\n".join(lines) + "\n")
    result = replayed(tmp_path / "all.csv")
    assert result.counts.symbols == {"BTCUSD": 3, "ETHUSD": 2}
    assert (result.counts.empty, result.counts.impossible) == (1, 0)
    for bar in result.bars:
        factor = 1 if bar.symbol == "BTCUSD" else 2
        volume = bar.quote_volume if corners[1] == "Ticker" else bar.volume  # yfinance's is in dollars
        assert (bar.open, bar.high, bar.low, bar.close, volume) == tuple(
            factor * FIELDS[name] for name in ("Open", "High", "Low", "Close", "Volume")
        )
    assert replayed(tmp_path / "all.csv", ReadRequest(symbol="ETHUSD")).counts.symbols == {"ETHUSD": 2}


def test_no_two_ways_of_writing_a_time_share_a_number() -> None:
    day = datetime(2009, 1, 1, tzinfo=UTC).timestamp()
    last = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
    for name, scale in (("seconds", 1), ("milliseconds", 1e3), ("microseconds", 1e6), ("nanoseconds", 1e9)):
        assert {unit_of(day * scale), unit_of(last * scale)} == {f"unix {name}"}
    assert {unit_of(float(number)) for number in (20090101, 20991231)} == {"yyyymmdd"}
    assert {unit_of(float(number)) for number in (39_814, 73_050.5)} == {"a spreadsheet's days"}


@pytest.mark.parametrize(
    "header",
    ["volume,quote_volume", "quote_volume,volume", "Volume Quote,Volume", "volumeto,volumefrom", "turnover,vol"],
)
def test_two_volumes_are_told_apart_by_the_price(header: str, tmp_path: Path, replayed) -> None:
    path = _file(
        tmp_path, "BTCUSDT.csv", f"time,open,high,low,close,{header.replace(' ', '_')}", f"{{t}},{PRICES},5,55"
    )
    result = replayed(path)
    assert {(bar.volume, bar.quote_volume) for bar in result.bars} == {(5.0, 55.0)}
    assert bool(result.counts.understood[0].remarks) == (header not in ("volume,quote_volume"))


def test_two_volumes_that_imply_no_price_are_told(tmp_path: Path, replayed) -> None:
    path = _file(tmp_path, "BTCUSDT.csv", "time,open,high,low,close,volume,quote_volume", f"{{t}},{PRICES},5,5000")
    result = replayed(path)
    assert "by the two volumes no price is between low and high" in result.counts.understood[0].remarks[0]


def test_dates_that_may_be_either_are_read_as_the_user_says(tmp_path: Path, replayed) -> None:
    path = tmp_path / "BTCUSD.csv"
    path.write_text("date,open,high,low,close\n" + "".join(f"0{day}/0{day}/2024,{PRICES}\n" for day in (1, 2, 3)))
    assert (
        replayed(path, ReadRequest(interval="1d")).counts.understood[0].times
        == "dates with the day first, such as '01/01/2024'"
    )
    path.write_text("date,open,high,low,close\n" + "".join(f"01/0{day}/2024,{PRICES}\n" for day in (1, 2, 3)))
    _is_right(replayed(path, ReadRequest(interval="1d", date_order="month")), 3, 24 * 60 * M)
