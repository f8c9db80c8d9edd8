"""The text of docs/LEADERBOARD.md."""

from evaluation.display_columns import COLUMNS, MORE_COLUMNS, ReportColumn, ahead, of_days, rows, superiority
from evaluation.goals import JUDGED, goals
from evaluation.number_format import span
from evaluation.results import BASELINE, Results
from evaluation.verdict import conclusions

INTERVAL = MORE_COLUMNS[0]


def leaderboard(results: Results, commit: str, command: str) -> str:
    """Return the page in Markdown; `commit` and `command` are those of the run."""
    columns = of_days(results, (COLUMNS[0], INTERVAL, *COLUMNS[1:]))
    head = (
        "# Leaderboard\n\n"
        f"Written by `{command}` at commit {commit} with the seed {results.seed}: {results.rows:,} rows of "
        f"{', '.join(results.symbols)}, {span(results.start, results.end)} (UTC), walking forward. "
        f"The first row, {BASELINE}, is the baseline.\n"
    )
    parts = [
        head,
        *(f"- {line}" for line in conclusions(results)),
        "",
        *_goals(results),
        *(_section(results, horizon, columns) for horizon in results.horizons),
        _meanings(columns),
    ]
    return "\n".join(parts)


def _goals(results: Results) -> list[str]:
    matches = goals(results)
    if not matches:
        return []
    lines = [
        f"## Goals of {JUDGED}, and results",
        "",
        "| goal | bars ahead | target | result | |",
        "|---|---:|---|---|---|",
    ]
    lines += [
        f"| {row.what} | {row.horizon} | {row.asked} | {row.came} | {'met' if row.met else 'short'} |"
        for row in matches
    ]
    return ["\n".join([*lines, ""])]


def _section(results: Results, horizon: int, columns: tuple[ReportColumn, ...]) -> str:
    lines = [f"## {ahead(horizon)[0].upper()}{ahead(horizon)[1:]}", ""]
    lines.append("| model | " + " | ".join(column.heading for column in columns) + " |")
    lines.append("|---|" + "---:|" * len(columns))
    # A star in a cell would be read as emphasis.
    lines += [
        "| " + " | ".join(text.replace("*", "\\*") for text in row) + " |" for row in rows(results, horizon, columns)
    ]
    tested = superiority(results, horizon)
    return "\n".join([*lines, "", *([f"{tested}.", ""] if tested else [])])


def _meanings(columns: tuple[ReportColumn, ...]) -> str:
    lines = ["## Columns", ""]
    lines += [f"- **{column.heading}**: {column.meaning.replace('*', chr(92) + '*')}." for column in columns]
    return "\n".join([*lines, ""])
