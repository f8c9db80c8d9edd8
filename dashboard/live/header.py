"""The parts of the page that are text: each a function from values to HTML. Whatever comes from data is escaped."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from dashboard.html import fact, heading, line, mark
from dashboard.live import forecast_text, layers, legend
from dashboard.live.freshness import PageHealth
from dashboard.live.look import Look
from dashboard.live.rate_meter import Rates
from dashboard.live.series_reader import BUCKET_BARS, ROLLING_BUCKETS, Snapshot
from dashboard.live.view_state import span_label
from dashboard.number_format import DASH, basis_points, count, currencies, percent, price, state_name
from dashboard.palette import model_dash
from models.skill import NAIVE
from observability.lag import ConsumerLag
from settings.places import typed
from stack.conditions import ComponentSummary
from topics.markets import kind_of


def headline(snapshot: Snapshot, look: Look) -> str:
    """Return the symbol, its last price with the change over the chosen span, the regime and the last event time."""
    symbol, interval = snapshot.key.series.symbol, snapshot.key.series.interval
    change = snapshot.latest.close / snapshot.latest.before - 1
    arrow = "▲" if change > 0 else "▼" if change < 0 else "■"
    _, quote = currencies(symbol)
    regime = ""
    if snapshot.regime is not None:
        state = snapshot.regime.state
        colour = look.regimes.get(state, "currentColor")
        regime = fact(
            "Regime",
            f'<i class="dot" style="background:{colour}"></i>{escape(state_name(state))}'
            f" <small>{percent(snapshot.regime.probability, 0)}</small>",
        )
    return (
        f'<div class="head"><div class="symbol">{escape(symbol)}<small>{_bars_of(symbol, interval)}</small></div>'
        f'<div class="price">{price(snapshot.latest.close)}<small>{escape(quote)}</small></div>'
        + fact(f"Change {_over(snapshot, look)}", f"{arrow} {percent(change, 2, sign=True)}")
        + regime
        + fact("Last bar", look.clock.moment(snapshot.newest.bar.timestamp() * 1000 if snapshot.newest.bar else None))
        + "</div>"
    )


def _over(snapshot: Snapshot, look: Look) -> str:
    """Return over which time the change is: the chosen span, or what is stored of it."""
    newest, first = snapshot.newest.bar, snapshot.latest.first
    if newest is not None and newest - first < (snapshot.key.span - 1) * snapshot.key.step:
        return f"since {look.clock.day(first.timestamp() * 1000)}"
    return f"in {span_label(snapshot.key.span, snapshot.key.series.interval)}"


def _bars_of(symbol: str, interval: str) -> str:
    """Return what bars they are: of spot it goes without saying."""
    return escape(f"{interval} bars" if kind_of(symbol) == "spot" else f"{kind_of(symbol)}, {interval} bars")


def badge(health: PageHealth) -> str:
    """Return the state of the page as a badge, with its sentence as a tooltip."""
    text = health.detail if health.kind in ("live", "waiting", "replay") else ""
    return (
        f'<div class="badge {health.kind}" role="status" title="{escape(health.detail)}"><i class="dot"></i>'
        f"{escape(health.label)}{f'<small>{escape(text)}</small>' if text else ''}</div>"
    )


def notices(health: PageHealth, notes: tuple[str, ...], warning: str = "") -> str:
    """Return the notices: the state if it is not live, a warning, and invalid parameters of the address."""
    lines = [f'<p class="stale">{escape(warning)}</p>'] if warning else []
    if health.kind in ("unreachable", "stale"):
        lines.append(f'<p class="{health.kind}">{escape(health.detail)}</p>')
    lines += [f'<p class="note">{escape(note)}</p>' for note in notes]
    return "".join(lines)


def blank(health: PageHealth) -> str:
    """Return the text shown instead of the plots while there is nothing to draw."""
    titles = {"empty": "No data yet", "unreachable": "The database does not answer", "connecting": "Connecting"}
    commands = typed("<code>./foretick up</code><code>./foretick replay FILE</code>") if health.kind == "empty" else ""
    return (
        f'<div class="blank {health.kind}"><h2>{titles.get(health.kind, "Reading")}</h2>'
        f"<p>{escape(health.detail)}</p>{commands}</div>"
    )


def titles(snapshot: Snapshot, look: Look, view: tuple[float, float], beside: Sequence[str] = ()) -> dict[str, str]:
    """Return the title of each plot of the market: its name, its unit, and what its colours mean; `beside` is further
    entries of the prices' legend (HTML)."""
    timeframe = snapshot.key.window.timeframe
    base, quote = currencies(snapshot.key.series.symbol)
    first = snapshot.latest.first.timestamp() * 1000
    facts = [quote, look.clock.short(), f"{timeframe} candles"]
    if view[0] < first:
        facts.append(f"stored from {look.clock.moment(first)}")
    fan = [*legend.of_fan(snapshot, look), *beside]
    regimes = [mark("box", colour, state_name(state)) for state, colour in look.regimes.items()]
    return {
        "price_title": heading("Price and forecasts", ", ".join(filter(None, facts)), fan),
        "regime_title": heading("Regime", "", regimes),
        "volume_title": heading("Volume", f"{base} per {timeframe} candle" if base else f"per {timeframe} candle", []),
        "forecast_words": forecast_text.sentence(snapshot, look),
    }


def coverage_title(snapshot: Snapshot, look: Look) -> str:  # noqa: ARG001 - as of every score
    """Return the title of the coverage's plot, whose lines have the colours of the skill's legend."""
    return heading("Coverage of the 90 % interval", _rolling(snapshot), [])


def skill_title(snapshot: Snapshot, look: Look) -> str:
    """Return the title of the skill's plot, with the models' lines, which it switches in both plots."""
    shown = [
        legend.switch(layers.of_model(model), line(look.models[model], model_dash(model), model), look)
        for model in snapshot.models
        if model in look.models
    ]
    return heading("Skill against naive", f"pinball, {_rolling(snapshot)}", shown)


def _rolling(snapshot: Snapshot) -> str:
    return f"rolling {span_label(ROLLING_BUCKETS * BUCKET_BARS, snapshot.key.series.interval)}"


def board(snapshot: Snapshot, look: Look) -> str:
    """Return the newest scores of each model as a table."""
    if not snapshot.scores:
        reason = "Reading…" if snapshot.scores is None else "No forecast of this horizon has come true yet."
        return heading("Newest scores", "", []) + f'<p class="muted">{reason}</p>'
    rows = []
    for model, scores in sorted(snapshot.scores.items(), key=lambda item: (item[0] == NAIVE, item[0])):
        last = {name: float(column[-1]) if len(column) else np.nan for name, column in scores.items()}
        chosen = ' class="chosen"' if model == snapshot.key.model else ""
        hue = look.models.get(model, "currentColor")
        rows.append(
            f"<tr{chosen}><th>{line(hue, model_dash(model), model)}</th>"
            f"<td>{percent(last['coverage'])}</td><td>{percent(last['skill'], sign=True)}</td>"
            f"<td>{percent(last['direction'])}{counted(last['moved'])}</td>"
            f"<td>{basis_points(last['error'])}</td>"
            f"<td>{count(last['scored'])}</td></tr>"
        )
    heads = ("Model", "Coverage", "Skill", "Direction", "Error", "Outcomes")
    ahead = f"{span_label(snapshot.key.horizon, snapshot.key.series.interval)} ahead"
    table = f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>{''.join(rows)}</table>"
    return heading("Newest scores", ahead, []) + table


def counted(outcomes: float) -> str:
    """Return of how many outcomes a share is, nothing if there are none."""
    return f" <small>of {count(outcomes)}</small>" if outcomes > 0 else ""


def lateness(behind: ConsumerLag) -> str:
    """Return a reader's consumer lag, in the wording of `status`."""
    return "unknown" if behind.rows is None and behind.seconds is None else escape(behind.short())


def pipeline(
    rates: Rates, lag: Mapping[str, ConsumerLag], components: Sequence[ComponentSummary] = (), problem: str = ""
) -> str:
    """Return throughput, lag, the condition of each component that is not healthy; `problem`: why the lag is old."""
    tiles = [("Bars", count(rates.bars), "/s"), ("Predictions", count(rates.predictions), "/s")]
    facts = [
        fact(name, "unknown" if value == DASH else f"{value} <small>{unit}</small>") for name, value, unit in tiles
    ]
    facts += [fact(f"Lag, {name}", lateness(behind)) for name, behind in lag.items()]
    others = [one for one in components if one.word != "healthy"]
    lines = "".join(
        f'<p class="{"muted" if one.good else "stale"}"><b>{escape(one.name)}</b> {escape(one.word)}'
        f"{escape(f': {one.why}' if one.why else '')}</p>"
        for one in others
    )
    if problem:
        lines = f'<p class="stale">{escape(problem)}</p>{lines}'
    elif components and not others:
        lines = f'<p class="muted">All {len(components)} components are healthy.</p>'
    return heading("Pipeline", "", []) + f'<div class="tiles">{"".join(facts)}</div>{lines}'
