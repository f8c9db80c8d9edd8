"""What the terminal shows: one table a horizon."""

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from evaluation.results import Results
from evaluation.shown import COLUMNS, Shown, ahead, rows, superiority

STYLES = {"better": "green", "worse": "red"}


WIDE = 125
"""Characters that all columns need."""
NARROW = ("R² %", "IC", "pinball", "Winkler", "QLIKE", "cover %", "vs naive")
"""What is shown in less: the report has the rest."""


def tables(results: Results, width: int = WIDE) -> list[Table]:
    """Return a table a horizon: a row a model, the baseline first; fewer columns where the screen is not wide."""
    columns = tuple(column for column in COLUMNS if width >= WIDE or column.heading in NARROW)
    return [_table(results, horizon, columns) for horizon in results.horizons]


def _table(results: Results, horizon: int, columns: tuple[Shown, ...]) -> Table:
    caption = superiority(results, horizon)
    table = Table(title=ahead(horizon), caption=caption, box=SIMPLE_HEAD, padding=0, pad_edge=False)
    table.title_justify = table.caption_justify = "left"
    table.add_column("model", no_wrap=True)
    for column in columns:
        table.add_column(column.heading, justify="right")
    for model, *texts in rows(results, horizon, columns):
        table.add_row(model, *(Text(text, STYLES.get(text.split(" ")[0], "")) for text in texts))
    return table
