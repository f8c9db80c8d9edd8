"""What an evaluation leaves behind in a folder: the tables and the report."""

from collections.abc import Sequence
from pathlib import Path

from evaluation import table
from evaluation.report import report
from evaluation.results import Results, Weight

PAGE = "report.html"


def write(results: Results, folder: Path, commit: str = "", command: str = "", ensemble: Sequence[Weight] = ()) -> Path:
    """Write the Parquet tables and the report below the folder; return the report's path.

    `commit` and `command` are the run's, and `ensemble` the weights by regime where there are any.
    """
    table.save(results, folder)
    path = folder / PAGE
    path.write_text(report(results, commit, command, ensemble), encoding="utf-8")
    return path
