"""The table of models and horizons: in each cell the interval, the median, the chance of a rise, the recent skill."""

from html import escape

from dashboard.html import heading, line
from dashboard.live.comparison.reader import SKILL_BARS, Comparison, Skill
from dashboard.live.freshness import late
from dashboard.live.look import Look
from dashboard.live.quantile_forecast import UNITS, QuantileForecast, between, signed
from dashboard.live.view_state import BarSeries, Choice, span_label
from dashboard.number_format import DASH, percent
from dashboard.palette import model_dash
from models.skill import NAIVE
from observability.lag import length
from topics.records import HORIZONS
from topics.units import interval_ms

WIDTH, HEIGHT = 200, 26
"""Of an interval's drawing, in its own units."""
PRESS = "compare:"


def card(comparison: Comparison | None, series: BarSeries, choice: Choice, look: Look, problem: str | None) -> str:
    """Return the card; `problem` is why the database cannot be read: what is shown is then the last known."""
    ahead = span_label(SKILL_BARS, series.interval)
    unit = f"{series.symbol}, basis points from the price at the forecast; skill against naive, pinball, last {ahead}"
    remark = f'<p class="stale">{escape(problem)}</p>' if problem else ""
    if comparison is None:
        return heading("Models and horizons") + (remark or '<p class="muted">Reading…</p>')
    if not comparison.said:
        return heading("Models and horizons", unit) + '<p class="muted">No model has a forecast yet.</p>' + remark
    reach = {horizon: reached(comparison, horizon) for horizon in HORIZONS}
    heads = "".join(
        f'<th scope="col">{span_label(horizon, series.interval)}'
        f"<small>{f'scale ±{10_000 * reach[horizon]:.0f} bp' if reach[horizon] else ''}</small></th>"
        for horizon in HORIZONS
    )
    models = sorted(comparison.models, key=lambda model: (model == NAIVE, model))
    rows = "".join(_row(model, comparison, reach, series, choice, look, problem) for model in models)
    return (
        heading("Models and horizons", unit)
        + f'<table class="multiples" aria-label="Models and horizons"><thead><tr><td></td>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table>" + remark
    )


def reached(comparison: Comparison, horizon: int) -> float:
    """Return how far the 90 % intervals of a horizon reach at most, in log return; all models have this scale."""
    said = [one for (_, ahead), one in comparison.said.items() if ahead == horizon]
    return max((abs(value) for one in said for value in (one.q05, one.q95) if value is not None), default=0.0)


def _row(
    model: str,
    comparison: Comparison,
    reach: dict[int, float],
    series: BarSeries,
    choice: Choice,
    look: Look,
    problem: str | None,
) -> str:
    colour, cells = look.models.get(model, "currentColor"), []
    for horizon in HORIZONS:
        said = comparison.said.get((model, horizon))
        behind = round((comparison.bar - said.time) / interval_ms(series.interval)) if said else None
        old = bool(problem) or late(behind)
        age = f"{length((comparison.bar - said.time) / 1000)} old" if said and late(behind) else ""
        chosen = model == choice.model and horizon == choice.horizon
        drawing = drawn(said, reach[horizon], look.palette.muted if old else colour)
        name = f"{model}, {span_label(horizon, series.interval)} ahead: show it"
        cells.append(
            f'<td class="{"old" if old else ""}{" chosen" if chosen else ""}">'
            f'<button type="button" data-press="{escape(f"{PRESS}{horizon}:{model}")}" aria-label="{escape(name)}" '
            f'aria-pressed="{str(chosen).lower()}">{drawing}</button>'
            f"{words(said, comparison.skills.get((model, horizon)), age)}</td>"
        )
    return f'<tr><th scope="row">{line(colour, model_dash(model), model)}</th>{"".join(cells)}</tr>'


def words(said: QuantileForecast | None, skill: Skill | None, age: str) -> str:
    """Return a cell in numbers."""
    if said is None:
        return f'<p class="muted">{DASH} no forecast</p>'
    old = f'<b class="stale">{age}</b> ' if age else ""
    value = percent(skill.value, 1, sign=True) if skill else DASH
    return (
        f"<p>{old}P(up) <b>{percent(said.p_up, 0)}</b></p>"
        f"<p><span>median {signed(said.q50)}</span> "
        f"<span>90 % {between(said, said.q05, said.q95, UNITS[1])}</span></p>"
        f"<p>skill <b>{value}</b>{f' <small>of {skill.forecasts:,}</small>' if skill else ''}</p>"
    )


def drawn(said: QuantileForecast | None, reach: float, colour: str) -> str:
    """Return the 90 and 80 % intervals and the median as a drawing about the price of the forecast's bar."""

    def across(value: float) -> float:
        return WIDTH / 2 * (1 + value / reach)

    parts = [f'<path class="zero" d="M{WIDTH / 2:.0f} 0v{HEIGHT}"/>']
    if said is not None and reach > 0:
        for name, low, high in (("ninety", said.q05, said.q95), ("eighty", said.q10, said.q90)):
            if low is not None and high is not None:
                left, wide = across(low), across(high) - across(low)
                parts.append(f'<rect class="{name}" x="{left:.1f}" y="6" width="{wide:.1f}" height="14"/>')
        if said.q50 is not None:
            parts.append(f'<path class="median" d="M{across(said.q50):.1f} 3v20"/>')
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" style="--c:{colour}" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )


def pressed(name: str) -> tuple[str, int] | None:
    """Return the model and the horizon of a cell that was pressed, None of any other button."""
    horizon, _, model = name.removeprefix(PRESS).partition(":")
    if not name.startswith(PRESS) or horizon not in {str(known) for known in HORIZONS} or not model:
        return None
    return model, int(horizon)
