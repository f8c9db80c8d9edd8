"""The text of docs/LEADERBOARD.md."""

from evaluation.goals import JUDGED, goals
from evaluation.results import BASELINE, Results
from evaluation.shown import COLUMNS, MORE_COLUMNS, Shown, ahead, rows, superiority
from evaluation.wording import span

INTERVAL = MORE_COLUMNS[0]


def leaderboard(results: Results, commit: str, command: str) -> str:
    """Return the page in Markdown; `commit` and `command` are those of the run."""
    columns = (COLUMNS[0], INTERVAL, *COLUMNS[1:])
    head = (
        "# Leaderboard\n\n"
        f"Written by `{command}` at commit {commit} with the seed {results.seed}: {results.rows:,} rows of "
        f"{', '.join(results.symbols)}, {span(results.start, results.end)} (UTC), walking forward. "
        f"The first row, {BASELINE}, is what the others are to beat.\n"
    )
    parts = [
        head,
        *_goals(results),
        *(_section(results, horizon, columns) for horizon in results.horizons),
        _meanings(columns),
    ]
    return "\n".join(parts)


def _goals(results: Results) -> list[str]:
    found = goals(results)
    if not found:
        return []
    lines = [
        f"## What was asked of {JUDGED}, and what came",
        "",
        "| | bars ahead | asked | came | |",
        "|---|---:|---|---|---|",
    ]
    lines += [
        f"| {row.what} | {row.horizon} | {row.asked} | {row.came} | {'met' if row.met else 'short'} |" for row in found
    ]
    return ["\n".join([*lines, ""])]


def _section(results: Results, horizon: int, columns: tuple[Shown, ...]) -> str:
    lines = [f"## {ahead(horizon)[0].upper()}{ahead(horizon)[1:]}", ""]
    lines.append("| model | " + " | ".join(column.heading for column in columns) + " |")
    lines.append("|---|" + "---:|" * len(columns))
    # A star in a cell would be read as emphasis.
    lines += [
        "| " + " | ".join(text.replace("*", "\\*") for text in row) + " |" for row in rows(results, horizon, columns)
    ]
    lines += ["", f"{superiority(results, horizon)}."]
    return "\n".join([*lines, ""])


def _meanings(columns: tuple[Shown, ...]) -> str:
    lines = ["## What the columns are", ""]
    lines += [f"- **{column.heading}**: {column.meaning.replace('*', chr(92) + '*')}." for column in columns]
    return "\n".join([*lines, ""])
