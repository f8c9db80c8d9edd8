"""What the terminal shows: one table a horizon."""

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from evaluation.results import Results
from evaluation.shown import COLUMNS, ahead, rows, superiority

STYLES = {"better": "green", "worse": "red"}


def tables(results: Results) -> list[Table]:
    """Return a table a horizon: a row a model, the baseline first."""
    return [_table(results, horizon) for horizon in results.horizons]


def _table(results: Results, horizon: int) -> Table:
    caption = superiority(results, horizon)
    table = Table(title=ahead(horizon), caption=caption, box=SIMPLE_HEAD, padding=0, pad_edge=False)
    table.title_justify = table.caption_justify = "left"
    table.add_column("model", no_wrap=True)
    for column in COLUMNS:
        table.add_column(column.heading, justify="right")
    for model, *texts in rows(results, horizon):
        table.add_row(model, *(Text(text, STYLES.get(text.split(" ")[0], "")) for text in texts))
    return table
