"""The page's texts and tables: each a function from values to HTML. Whatever comes from data is escaped."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby

from dashboard.analytics.forecasts_reader import BASIS_POINT, Policy
from dashboard.analytics.scores_reader import BoardRow
from dashboard.html import fact, line, title
from dashboard.number_format import DASH, basis_points, count, percent, state_name
from dashboard.palette import model_dash
from evaluation.breakdown import GroupScore
from evaluation.plots.heatmap import TOLERANCE
from models.skill import NAIVE
from topics.records import HORIZONS, QUANTILES

NOMINAL = QUANTILES[-1] - QUANTILES[0]
CHOSEN, PICKED = ' class="chosen"', ' class="picked"'
"""What marks the row of the chosen model, and the cells of the chosen horizon."""
NO_ADVICE = (
    "A computation on past forecasts, without slippage, funding or the limits of a market. It is no advice, and says "
    "nothing about what trading would earn."
)


def coverage(value: float | None) -> str:
    """Return a coverage; one that is further from 90 % than the tolerance is marked, and not by colour alone."""
    if value is None or abs(value - NOMINAL) <= TOLERANCE / 100:
        return percent(value)
    mark, word = ("▼", "too narrow") if value < NOMINAL else ("▲", "too wide")
    return f'<span class="off" title="{word}: {NOMINAL:.0%} is nominal">{mark} {percent(value)}</span>'


def board(rows: Sequence[BoardRow], chosen: str | None, horizon: int, colours: Mapping[str, str]) -> str:
    """Return the table of skill and coverage by model and horizon; the chosen horizon's columns are marked."""
    head = "".join(
        f'<th colspan="2"{marked(one == horizon)}>{one} bar{"s" if one > 1 else ""}</th>' for one in HORIZONS
    )
    kinds = "".join(
        f"<th{marked(one == horizon)}>skill</th><th{marked(one == horizon)}>covered</th>" for one in HORIZONS
    )
    lines = []
    for model, of_model in groupby(sorted(rows, key=lambda row: (row.model == NAIVE, row.model)), lambda r: r.model):
        by_horizon = {row.horizon: row for row in of_model}
        cells = "".join(
            f"<td{marked(one == horizon)}>{percent(row.pinball_skill, 2, sign=True)}</td>"
            f"<td{marked(one == horizon)}>{coverage(row.coverage)}</td>"
            if (row := by_horizon.get(one))
            else f"<td{marked(one == horizon)}>{DASH}</td>" * 2
            for one in HORIZONS
        )
        forecasts = max(row.scored for row in by_horizon.values())
        lines.append(
            f"<tr{CHOSEN if model == chosen else ''}>{named(model, colours)}{cells}<td>{count(forecasts)}</td></tr>"
        )
    return (
        '<div class="wide"><table class="board" aria-label="Scores by model and horizon">'
        f"<tr><th></th>{head}<th></th></tr>"
        f"<tr><th>Model</th>{kinds}<th>forecasts</th></tr>{''.join(lines)}</table></div>"
    )


def marked(chosen: bool) -> str:
    """Return the class of a cell of what is chosen."""
    return PICKED if chosen else ""


def named(model: str, colours: Mapping[str, str]) -> str:
    """Return a model's name beside its line."""
    hue = colours.get(model, "currentColor")
    return f"<th>{line(hue, model_dash(model), model)}</th>"


def groups(name: str, scores: Sequence[GroupScore]) -> str:
    """Return a table of the scores of each group, with the error as a bar."""
    shown = [score for score in scores if score.forecasts]
    if not shown:
        return title(name, "", {}) + '<p class="muted">No forecast has a group here.</p>'
    most = max((score.error or 0.0 for score in shown), default=0.0)
    lines = []
    for score in shown:
        share = 100 * score.error / most if score.error and most else 0
        lines.append(
            f"<tr><th>{escape(state_name(score.name))}</th>"
            f'<td class="barred"><i style="width:{share:.0f}%"></i><span>{basis_points(score.error)}</span></td>'
            f"<td>{percent(score.pinball_skill, 2, sign=True)}</td><td>{coverage(score.coverage)}</td>"
            f"<td>{count(score.forecasts)}</td></tr>"
        )
    return (
        title(name, "", {}) + '<div class="wide"><table><tr><th></th><th>mean abs. error</th><th>skill</th>'
        f"<th>covered</th><th>forecasts</th></tr>{''.join(lines)}</table></div>"
    )


def hour_texts(scores: Sequence[GroupScore]) -> list[tuple[str, str]]:
    """Return each hour's skill and coverage as a tooltip has them."""
    return [(percent(score.pinball_skill, 2, sign=True), percent(score.coverage)) for score in scores]


def policy(of: Policy | None, cost_bp: int) -> str:
    """Return a policy's figures, in the order in which one reads them: what is left, and why."""
    if of is None:
        return '<p class="muted">Reading.</p>'
    even = DASH if of.break_even is None else f"{of.break_even / BASIS_POINT:.2f} bp".replace("-", "\u2212")
    turnover = DASH if of.turnover is None else f"{of.turnover:,.1f} <small>times the capital a day</small>"
    facts = [
        fact("Net", percent(of.net, 2, sign=True)),
        fact("Gross", percent(of.gross, 2, sign=True)),
        fact(f"Costs at {cost_bp} bp a unit", percent(of.cost, 2)),
        fact("Turnover", turnover),
        fact("Break-even cost", even),
        fact("Largest fall", percent(of.drawdown, 2)),
    ]
    return f'<div class="tiles">{"".join(facts)}</div><p class="advice">{NO_ADVICE}</p>'
