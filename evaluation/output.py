"""Writes an evaluation's tables and report to a folder."""

from collections.abc import Sequence
from pathlib import Path

from evaluation import result_tables
from evaluation.report import report
from evaluation.results import Results, Weight

PAGE = "report.html"


def write(results: Results, folder: Path, commit: str = "", command: str = "", ensemble: Sequence[Weight] = ()) -> Path:
    """Write the Parquet tables and the report below the folder; return the report's path.

    `commit` and `command` are the run's, and `ensemble` the weights by regime where there are any.
    """
    result_tables.save(results, folder)
    path = folder / PAGE
    path.write_text(report(results, commit, command, ensemble), encoding="utf-8")
    return path
