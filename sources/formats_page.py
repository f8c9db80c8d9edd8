"""Generates the page of the layouts that can be replayed: `python -m sources.formats_page > docs/FORMATS.md`."""

import sys

from sources.formats import SOURCES, plain, trades
from sources.formats.known_headers import ANSWERS, WRITERS
from sources.formats.unsupported import REFUSED

HEAD = """# Files that can be replayed

Generated from `sources/formats/` by `python -m sources.formats_page > docs/FORMATS.md`; a test compares it, and reads a
file of each layout.

`foretick replay FILE --dry-run` shows how a file is interpreted: the layout, the interval and the evidence for it, the
format of times, the columns left out, the first and the last row as they would be sent, and the impossible rows with
reasons. `--layout`, `--interval`, `--symbol`, `--zone` and `--date-order` overrule this interpretation; an option that
contradicts the file is refused.

- **Containers**: csv (also with tabs, semicolons or vertical bars, in UTF-8 or UTF-16), JSON (arrays, objects, JSON
  lines, a venue's answer that contains the rows), Parquet, Feather; each also in gzip or zip. Members of a zip that are
  no tables, or cannot be read, are named and skipped. At most three archives lie within each other, and no file unpacks
  to more than 200 times its size, or 100 MiB if that is more. Blank lines, comments and notes above a table are
  skipped, and reported.
- **Times**: unix times in s, ms, us or ns; `20240131`, `202401311200`, `20240131120000`; a spreadsheet's days; ISO
  8601, also with UTC or GMT behind it; `31.01.2024 12:00`, `2024/01/31`, `31/01/2024` or `01/31/2024` (the file's own
  dates decide which), `Jan 31, 2024`; a date and a time of day in two columns, or the day, the hour and the minute. A
  text with another zone's name is refused.
- **Zones**: a time without a zone is UTC, or in the zone given by `--zone` (`Europe/Berlin`, `+05:30`). Unix times are
  UTC in any case. Local times that do not exist, or occur twice, when the zone's clock changes are impossible.
- **Numbers**: also `42,000.50`, `1.234,5`, `$42000`, `1.5K`. An ambiguous one (`42,000` alone;
  `42.000` alone between semicolons) is refused; one decimal comma makes the points in all columns thousands separators.
- **Market**: spot, unless the file's name (`BTC_USDT_USDT-1m-futures`, `BTCUSD_PERP`, `BTC-USDT-SWAP`, `BTCUSDT.P`, a
  delivery's day), its folders (`futures/um`, `linear`, `spot`), a column (`category`, `market_type`, Tardis's
  `exchange`), an answer's `category`, a symbol in its rows or `--market spot|linear|inverse` says otherwise. A symbol
  is spelled as in ccxt, without the slash: `BTCUSDT`, the perpetual `BTCUSDT:USDT`, inverse `BTCUSD:BTC`, a delivery
  `BTCUSDT:USDT-240329`; the spellings of venues and users are understood. Amounts of contracts become base amounts if
  the file or `--contract-size` gives their size. Mark and index prices, premiums and funding rates are no bars: they
  are refused, or skipped among other files. Files of one market that have different prices in the same bars, or trades
  at the same time with different ids or without ids, are refused before anything is sent; so are a symbol that a file
  spells in two ways, and rows of two markets in one file.
- **Symbol**: `--symbol` selects one of those in the files; for a single file it may differ from the file's own, which
  is reported.
- **Interval**: from the file's name and the steps between rows; if they contradict each other it must be given.
- **Repeated bars**: the later row is kept. A bar that is marked as open in the file is left out.
- **Impossible rows** go to `dead-letters` with the cell and its column. If no row can be used, or more than
  `FORETICK_IMPOSSIBLE_PERCENT` of them are impossible, the exit code is 1.
- **Several symbols**: in a column, or in adjacent columns as yfinance writes them; each is a series.
- **Volumes**: of two amounts, whatever their names, base and quote are assigned so that their ratio, the price, is
  between low and high; if this contradicts their names, it is reported.
- **One venue, one interval**: a column such as `exchange` or `interval` must hold one value in a file.
- **Not served**: bars longer than a day; bars of days of another zone than UTC; quotes and order books.

## Layouts

The first layout that recognises a file reads it; `--layout NAME` overrules this, and is refused if the columns do not
fit.

| layout | name | columns |
|---|---|---|
"""


def page() -> str:
    """Return the page."""
    parts = [HEAD]
    parts += [f"| {source.name} | `{source.short}` | {_cell(source.columns)} |\n" for source in SOURCES]
    parts.append(
        "\n## Neither bars nor trades\n\nThese are refused with a message.\n\n| columns | message |\n|---|---|\n"
    )
    parts += [f"| {_cell(','.join(sorted(one.columns)))} | {one.what} |\n" for one in REFUSED]
    parts.append("\n## Column names\n\nIn any case and order.\n\n| field | bars | trades |\n|---|---|---|\n")
    of_bars, of_trades = {"time": plain.TIMES, **plain.FIELDS}, {"time": trades.TIMES, **trades.FIELDS}
    for name in dict.fromkeys((*of_bars, *of_trades)):
        parts.append(f"| {name} | {_names(of_bars.get(name, ()))} | {_names(of_trades.get(name, ()))} |\n")
    parts.append(
        "\n## Programs that write these files\n\nExamples; a test reads each.\n\n| from | a file | header |\n"
        "|---|---|---|\n"
    )
    parts += [f"| {one.name} | {one.file} | {_cell(one.header)} |\n" for one in WRITERS]
    parts.append("\n## Answers in JSON\n\nRead unchanged, with their symbol if they contain it; a test reads each.\n\n")
    parts.append(f"{', '.join(ANSWERS)}.\n")
    return "".join(parts)


def _cell(text: str) -> str:
    return f"`{text.replace(chr(9), ' ')}`"


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names if name)


if __name__ == "__main__":
    sys.stdout.write(page())
