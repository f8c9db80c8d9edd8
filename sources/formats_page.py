"""The layouts that can be replayed, as a page to read: `python -m sources.formats_page > docs/FORMATS.md`."""

import sys

from sources.formats import SOURCES, plain, trades
from sources.formats.writers import WRITERS

HEAD = """# Files that can be replayed

Made from `sources/formats/` by `python -m sources.formats_page > docs/FORMATS.md`; a test compares, and reads each.

`foretick replay FILE --dry-run` says what it takes a file for: the layout, the interval and what tells it, how times
are written, which columns are left out, the first and the last row as they would be sent, and what is impossible and
why.

- **Containers**: csv (also with tabs, semicolons or strokes, in UTF-8 or UTF-16), JSON (arrays, objects, an object
  a line, a venue's answer with its rows in it), Parquet, Feather; each also in gzip or zip. What is no table in a
  zip is named and passed over. Blank lines, comments and notes above a table are passed over, and told.
- **Times**: unix times in s, ms, us or ns; `20240131`, `202401311200`, `20240131120000`; a spreadsheet's days; ISO
  8601, also with UTC or GMT behind it; `31.01.2024 12:00`, `2024/01/31`, `31/01/2024` or `01/31/2024` (the file's
  own dates tell which), `Jan 31, 2024`; a date and a time of day in two columns. Without a zone a time is UTC; with
  another zone's name it is refused.
- **Numbers**: also `42,000.50`, `1.234,5`, `$42000`, `1.5K`. One that can be read in two ways (`42,000` alone) is
  refused.
- **Interval**: from the file's name and the steps between rows; where they contradict each other it must be given.
- **Repeated bars**: the later row stays. A bar that the file says is not over is left out.
- **Impossible rows** go to `dead-letters` with the cell and its column. Where no row can be used, or more than
  `FORETICK_IMPOSSIBLE_PERCENT` of them are impossible, the exit code is 1.
- **Not served**: bars longer than a day; several symbols side by side in one table; quotes and order books.

## Layouts

The first that recognises a file reads it.

| layout | columns |
|---|---|
"""


def page() -> str:
    """Return the page."""
    parts = [HEAD]
    parts += [f"| {source.name} | {_cell(source.columns)} |\n" for source in SOURCES]
    parts.append(
        "\n## Names that a column may have\n\nIn any case and order.\n\n| field | bars | trades |\n|---|---|---|\n"
    )
    of_bars, of_trades = {"time": plain.TIMES, **plain.FIELDS}, {"time": trades.TIMES, **trades.FIELDS}
    for name in dict.fromkeys((*of_bars, *of_trades)):
        parts.append(f"| {name} | {_names(of_bars.get(name, ()))} | {_names(of_trades.get(name, ()))} |\n")
    parts.append(
        "\n## Whose files these are\n\nExamples; a test reads each.\n\n| from | a file | header |\n|---|---|---|\n"
    )
    parts += [f"| {one.name} | {one.file} | {_cell(one.header)} |\n" for one in WRITERS]
    return "".join(parts)


def _cell(text: str) -> str:
    return f"`{text.replace(chr(9), ' ')}`"


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names if name)


if __name__ == "__main__":
    sys.stdout.write(page())
