"""The texts of the tuning page: each a function from values to HTML. Whatever comes from data is escaped."""

from collections.abc import Mapping, Sequence
from html import escape
from math import isnan

from dashboard.html import fact, moment, title
from dashboard.number_format import DASH
from dashboard.tuning.plot_data import written
from dashboard.tuning.trial_filter import Rows
from evaluation.eta import format_duration
from learning.tuning.importances_process import Importances
from learning.tuning.later_check import LaterCheck
from learning.tuning.mean_estimate import MeanEstimate
from learning.tuning.study_table import STATES, Parameter, StudySummary, StudyTable

ROWS = 50
"""The most rows of the table of trials."""


def number(value: float | None) -> str:
    """Return a value of a trial, with four digits and a true minus sign; unknown is a dash."""
    return DASH if value is None or isnan(value) else f"{value:.4g}".replace("-", "\u2212")


def studies(known: Sequence[StudySummary], colours: Mapping[str, str]) -> str:
    """Return the table of all studies; those that are drawn have their colour."""
    rows = []
    for one in known:
        mark = f'<i class="line" style="--c:{colours[one.name]}"></i>' if one.name in colours else ""
        chosen = ' class="chosen"' if one.name in colours else ""
        rows.append(
            f'<tr{chosen}><th class="long">{mark}{escape(one.name)}</th><td>{number(one.best)}</td>'
            f"<td>{'highest' if one.maximize else 'lowest'}</td><td>{one.trials:,}</td><td>{one.complete:,}</td>"
            f"<td>{one.pruned:,}</td><td>{one.failed:,}</td><td>{one.running:,}</td><td>{moment(one.moved)}</td></tr>"
        )
    heads = ("Study", "Best", "Best is", "Trials", "Complete", "Pruned", "Failed", "Running", "Last moved")
    head = "".join(f"<th>{name}</th>" for name in heads)
    return (
        title("Studies", f"{len(known)}", {})
        + f'<div class="scroll"><table><tr>{head}</tr>{"".join(rows)}</table></div>'
    )


def _length(seconds: float) -> str:
    if isnan(seconds):
        return DASH
    return format_duration(seconds) if seconds >= 1 else f"{1_000 * seconds:.0f} ms"


def best(table: StudyTable, check: LaterCheck | None) -> str:
    """Return the best trial with its parameters, and beside it the check on days that no trial used."""
    row = table.best
    if row is None:
        return title("Best trial", "", {}) + '<p class="muted">No trial is complete yet.</p>'
    values = "<tr><th>Parameter</th><th>Value</th><th>Of</th></tr>" + "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(written(one, float(one.values[row])))}</td>"
        f'<td class="muted wrap">{escape(_range(one))}</td></tr>'
        for name, one in table.parameters.items()
    )
    facts = fact("Trial", f"{table.number[row]}") + fact("Value", number(float(table.value[row])))
    return (
        title("Best trial", "", {})
        + f'<div class="tiles">{facts}{_later(check)}</div><table class="gap">{values}</table>'
    )


def _range(parameter: Parameter) -> str:
    if parameter.choices:
        return ", ".join(parameter.choices)
    return f"{parameter.low:g} to {parameter.high:g}{', log' if parameter.log else ''}"


def _later(check: LaterCheck | None) -> str:
    if check is None:
        return fact("On later days", "not checked")
    gain = DASH if check.gain is None else _estimate(check.gain)
    return fact("Skill on later days", _estimate(check.best)) + fact("Later, over the untuned model", gain)


def _estimate(value: MeanEstimate) -> str:
    """Return a skill with its standard error, in percent."""
    return f"{100 * value.mean:+.3f} % <small>± {100 * value.error:.3f}</small>".replace("-", "\u2212")


def importance_title(found: Importances | None, complete: int) -> str:
    """Return the title of the importances, with how many trials they are of or why there are none."""
    if found is None:
        note = "no trial is complete yet" if not complete else "being computed"
    elif found.error:
        note = found.error
    elif not found.shares:
        note = f"{found.trials:,} complete trials are too few, or all alike"
    else:
        note = f"for the best tenth of {found.trials:,} trials (PED-ANOVA)"
    return title("Parameter importance", note, {})


def drawn(shown: int, of: int, kind: str = "trials") -> str:
    """Return how many of the trials are drawn."""
    if of == 1:
        kind = kind.replace("trials", "trial").replace("that match", "that matches")
    return f"{of:,} {kind}" if shown >= of else f"{shown:,} of {of:,} {kind}"


def trials(table: StudyTable, rows: Rows, reasons: Mapping[int, str]) -> str:
    """Return the first of these rows as a table."""
    heads = ("Trial", "State", "Value", "Took", *table.parameters, "Why it failed")
    lines, best = [], table.best
    for row in rows[:ROWS].tolist():
        trial, seconds = int(table.number[row]), float(table.end[row] - table.start[row])
        cells = [
            STATES[table.state[row]].lower(),
            number(float(table.value[row])),
            _length(seconds),
            *(written(one, float(one.values[row])) for one in table.parameters.values()),
            reasons.get(trial, ""),
        ]
        chosen = ' class="chosen"' if row == best else ""
        lines.append(f"<tr{chosen}><th>{trial}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>")
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    note = drawn(min(len(rows), ROWS), len(rows), "trials that match")
    table_html = f'<div class="scroll"><table><tr>{head}</tr>{"".join(lines)}</table></div>'
    return title("Trials", note, {}) + (table_html if lines else '<p class="muted">No trial matches the filter.</p>')
