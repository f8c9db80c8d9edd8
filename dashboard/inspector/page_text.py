"""The inspector's texts: functions from values to HTML. Whatever comes from data is escaped."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from math import isfinite

from dashboard.html import Html, escaped, moment_at
from dashboard.inspector.catalogue import Version
from dashboard.inspector.version_loader import LoadState
from dashboard.number_format import DASH, percent
from learning.runs.step_results import WalkForwardSkill

MINUS = "\u2212"
SLOW_S = 20.0


def number(value: float | None) -> str:
    """Return a number with four significant digits and a true minus sign.

    >>> number(0.123456), number(12345.6), number(None) == DASH
    ('0.1235', '12,346', True)
    """
    if value is None or not isfinite(value):
        return DASH
    return (f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}").replace("-", MINUS)


def sentence(text: str, kind: str = "muted") -> str:
    """Return a sentence."""
    return f'<p class="{kind}">{escaped(text)}</p>' if text else ""


def facts(values: Mapping[str, str]) -> str:
    """Return names and values, one below the other."""
    return f"<dl>{''.join(f'<dt>{escape(name)}</dt><dd>{escaped(value)}</dd>' for name, value in values.items())}</dl>"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], marked: Sequence[bool] = ()) -> str:
    """Return a table whose first column names the rows; `marked` rows are bold."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    lines = []
    for place, (name, *cells) in enumerate(rows):
        kind = ' class="differs"' if place < len(marked) and marked[place] else ""
        lines.append(f"<tr{kind}><th>{escape(name)}</th>{''.join(f'<td>{escaped(cell)}</td>' for cell in cells)}</tr>")
    return f'<div class="scroll"><table><tr>{head}</tr>{"".join(lines)}</table></div>'


def label(version: Version) -> str:
    """Return how a version is named in a chooser: with the day at which its data end, else when it was written."""
    trained = version.provenance.last if version.provenance else version.written * 1000
    day = f"{datetime.fromtimestamp(trained / 1000, UTC):%d %b %Y}"
    return f"{version.version}, {day}{', in service' if version.in_service else ''}"


def skill(value: WalkForwardSkill | None) -> str:
    """Return a version's skill in the walk forward, with its standard error."""
    if value is None or value.mean is None:
        return DASH
    error = "" if value.error is None else f" ± {percent(value.error, 2)}"
    return f"{percent(value.mean, 2, sign=True)}{error} over {value.days} days"


def origin(version: Version) -> dict[str, str]:
    """Return what a version was trained on, by name."""
    given = version.provenance
    if given is None:
        return {
            "artifact written": moment_at(version.written * 1000),
            "in service": "yes" if version.in_service else "no",
        }
    return {
        "data": Html(f"{moment_at(given.first)} to {moment_at(given.last)}"),
        "bars": f"{given.rows:,} of {', '.join(given.symbols)}",
        "features": given.fingerprint,
        "code version": given.commit or DASH,
        "seed": str(given.seed),
        "data, SHA-256": given.data_sha256,
        "reference": given.reference or DASH,
        "MLflow run": given.run_id or DASH,
        "artifact written": moment_at(version.written * 1000),
        "in service": "yes" if version.in_service else "no",
    }


def parameters(version: Version) -> dict[str, str]:
    """Return the parameters that were not the defaults."""
    given = version.provenance.parameters if version.provenance else {}
    return {name: number(value) if isinstance(value, float) else str(value) for name, value in given.items()}


def progress(work: LoadState, what: str) -> str:
    """Return in words how far the loading is, or why it failed."""
    if work.error:
        return sentence(work.error, "problem")
    if work.since_s is None:
        return sentence(f"{what}: waits for its turn.", "working")
    slow = " A network or many trees take a while." if work.since_s > SLOW_S else ""
    return sentence(f"{what}, since {work.since_s:.0f} s.{slow}", "working")
