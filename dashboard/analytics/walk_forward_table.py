"""The walk-forward table: what `evaluation` found, with its tests and intervals, as the report shows it."""

from html import escape

from dashboard.analytics.evaluation_reader import WalkForward
from dashboard.html import moment, title
from evaluation.display_columns import COLUMNS, MORE_COLUMNS, ahead, of_days, superiority
from evaluation.number_format import day
from evaluation.results import BASELINE, Results

INTERVALS = tuple(column for column in MORE_COLUMNS if column.heading in ("R² interval", "IC interval"))
NOTHING = (
    "The pipeline has not evaluated the models yet: its step evaluate walks them forward over the last third of their "
    "history, and what it finds stands here."
)
MARKS = "Marks: Diebold-Mariano test of the daily squared errors against naive, * 5 %, ** 1 %, *** 0.1 % after Holm."


def table(found: WalkForward | None, horizon: int) -> str:
    """Return the table of a horizon, or why there is none."""
    head = title("Walk forward", "fitted on the past, scored on the days after it", {})
    if found is None:
        return f'{head}<p class="muted">{NOTHING}</p>'
    if found.results is None:
        problem = escape(f"Run {found.run_id} cannot be read: {found.problem}")
        return f'{head}<p class="stale">{problem}</p>'
    results = found.results
    if horizon not in results.horizons:
        return f'{head}<p class="muted">Run {escape(found.run_id)} did not evaluate {ahead(horizon)}.</p>'
    columns = of_days(results, (*COLUMNS, *INTERVALS))
    heads = "".join(f'<th title="{escape(column.meaning)}">{escape(column.heading)}</th>' for column in columns)
    lines = []
    for model in results.models:
        cells = "".join(_cell(column.text(results, model, horizon)) for column in columns)
        kind = ' class="baseline"' if model == BASELINE else ""
        lines.append(f"<tr{kind}><th>{escape(model)}</th>{cells}</tr>")
    return (
        f'{head}<p class="muted">{_about(found, results, horizon)}</p>'
        f'<div class="wide"><table class="walk"><tr><th>Model</th>{heads}</tr>{"".join(lines)}</table></div>'
        f'<p class="muted">{escape(_tests(results, horizon))}</p>'
    )


def _cell(text: str) -> str:
    """Return a cell; a verdict has its colour besides its word."""
    kind = next((word for word in ("better", "worse") if text.startswith(word)), "")
    return f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>"


def _about(found: WalkForward, results: Results, horizon: int) -> str:
    about = (
        f"{ahead(horizon)}, {len(results.days)} days from {day(results.start)} to {day(results.end)}, "
        f"{', '.join(results.symbols)}; run {found.run_id}, written "
    )
    return f"{escape(about)}{moment(found.written)}."


def _tests(results: Results, horizon: int) -> str:
    if results.undecided:
        return f"{len(results.days)} days are too few for tests and intervals."
    return f"{MARKS} {superiority(results, horizon)}".strip()
