"""What the terminal shows: one table a horizon."""

from rich.table import Table

from evaluation.results import BASELINE, Results
from evaluation.shown import COLUMNS, ahead, rows
from evaluation.wording import probability

STYLES = {"better": "green", "worse": "red"}


def tables(results: Results) -> list[Table]:
    """Return a table a horizon: a row a model, the baseline first."""
    return [_table(results, horizon) for horizon in results.horizons]


def _table(results: Results, horizon: int) -> Table:
    p = next(
        (test.p for test in results.superiority if (test.loss, test.horizon) == ("squared", horizon)), float("nan")
    )
    caption = f"SPA: no model beats {BASELINE} in squared error, p {probability(p)}"
    table = Table(title=ahead(horizon), caption=caption, title_justify="left", caption_justify="left", pad_edge=False)
    table.add_column("model", no_wrap=True)
    for column in COLUMNS:
        table.add_column(column.heading, justify="right", no_wrap=False)
    for model, *texts in rows(results, horizon):
        table.add_row(
            model,
            *(f"[{STYLES[text.split()[0]]}]{text}[/]" if text[:6].split(" ")[0] in STYLES else text for text in texts),
        )
    return table
