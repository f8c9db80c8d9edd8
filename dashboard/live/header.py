"""The parts of the page that are text: each a function from values to HTML. Whatever comes from data is escaped."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

import numpy as np

from dashboard.live.freshness import PageHealth
from dashboard.live.rate_meter import Rates
from dashboard.live.series_reader import BUCKET_BARS, ROLLING_BUCKETS, Snapshot
from dashboard.live.view_state import span_label
from dashboard.number_format import DASH, basis_points, count, currencies, percent, price, state_name
from dashboard.palette import Palette
from models.skill import NAIVE
from observability.lag import ConsumerLag
from stack.conditions import ComponentSummary
from topics.markets import kind_of


def moment(time: datetime | None) -> str:
    """Return a time of the data as it is written on the page."""
    return DASH if time is None else f"{time:%d %b %Y %H:%M} UTC"


def headline(snapshot: Snapshot | None, regimes: Mapping[str, str]) -> str:
    """Return the symbol, its last price with the change over the span shown, the regime and the last event time."""
    if snapshot is None:
        return ""
    symbol, interval = snapshot.key.series.symbol, snapshot.key.series.interval
    close = snapshot.bars["close"]
    change = close[-1] / close[0] - 1
    arrow = "▲" if change > 0 else "▼" if change < 0 else "■"
    _, quote = currencies(symbol)
    regime = ""
    if snapshot.regime is not None:
        state = snapshot.regime.state
        regime = fact(
            "Regime",
            f'<i class="dot" style="background:{regimes.get(state, "currentColor")}"></i>{escape(state_name(state))}'
            f" <small>{percent(snapshot.regime.probability, 0)}</small>",
        )
    return (
        f'<div class="head"><div class="symbol">{escape(symbol)}<small>{_bars_of(symbol, interval)}</small></div>'
        f'<div class="price">{price(close[-1])}<small>{escape(quote)}</small></div>'
        + fact(f"Change in {span_label(snapshot.key.span, interval)}", f"{arrow} {percent(change, 2, sign=True)}")
        + regime
        + fact("Last bar", moment(snapshot.newest.bar))
        + "</div>"
    )


def _bars_of(symbol: str, interval: str) -> str:
    """Return what bars they are: of spot it goes without saying."""
    return escape(f"{interval} bars" if kind_of(symbol) == "spot" else f"{kind_of(symbol)}, {interval} bars")


def fact(name: str, value: str) -> str:
    """Return a small label above a value (which is HTML already)."""
    return f'<div class="fact"><span>{escape(name)}</span><b>{value}</b></div>'


def badge(health: PageHealth) -> str:
    """Return the state of the page as a badge, with its sentence as a tooltip."""
    text = health.detail if health.kind == "live" else ""
    return (
        f'<div class="badge {health.kind}" role="status" title="{escape(health.detail)}"><i class="dot"></i>'
        f"{escape(health.label)}{f'<small>{escape(text)}</small>' if text else ''}</div>"
    )


def notices(health: PageHealth, notes: tuple[str, ...]) -> str:
    """Return the notices: the state if it is not live, and invalid parameters of the address."""
    lines = []
    if health.kind in ("unreachable", "stale"):
        lines.append(f'<p class="{health.kind}">{escape(health.detail)}</p>')
    lines += [f'<p class="note">{escape(note)}</p>' for note in notes]
    return "".join(lines)


def blank(health: PageHealth) -> str:
    """Return the text shown instead of the plots while there is nothing to draw."""
    titles = {"empty": "No data yet", "unreachable": "The database does not answer", "connecting": "Connecting"}
    commands = "<code>./foretick up</code><code>./foretick replay FILE</code>" if health.kind == "empty" else ""
    return (
        f'<div class="blank {health.kind}"><h2>{titles.get(health.kind, "Reading")}</h2>'
        f"<p>{escape(health.detail)}</p>{commands}</div>"
    )


def titles(
    snapshot: Snapshot, palette: Palette, models: Mapping[str, str], regimes: Mapping[str, str]
) -> dict[str, str]:
    """Return the title of each plot of the market: its name, its unit, and what its colours mean."""
    interval, model = snapshot.key.series.interval, snapshot.key.model
    base, quote = currencies(snapshot.key.series.symbol)
    forecasts = {f"{span_label(snapshot.key.horizon, interval)} interval hit": palette.hit, "missed": palette.miss}
    if model:
        forecasts = {f"{model} ahead: 50, 80, 90 %": models.get(model, palette.baseline)} | forecasts
    return {
        "price_title": title("Price and forecasts", ", ".join(filter(None, (quote, "UTC"))), forecasts),
        "regime_title": title("Regime", "", {state_name(state): colour for state, colour in regimes.items()}),
        "volume_title": title("Volume", f"{base} per {interval} bar" if base else f"per {interval} bar", {}),
    }


def coverage_title(snapshot: Snapshot, models: Mapping[str, str]) -> str:  # noqa: ARG001 - as of every score
    """Return the title of the coverage's plot, whose lines have the colours of the skill's legend."""
    return title("Coverage of the 90 % interval", _rolling(snapshot), {})


def skill_title(snapshot: Snapshot, models: Mapping[str, str]) -> str:
    """Return the title of the skill's plot, with the models' colours."""
    shown = {model: models[model] for model in snapshot.models if model in models}
    return title("Skill against naive", f"pinball, {_rolling(snapshot)}", shown, "line")


def _rolling(snapshot: Snapshot) -> str:
    return f"rolling {span_label(ROLLING_BUCKETS * BUCKET_BARS, snapshot.key.series.interval)}"


def look(model: str) -> str:
    """Return the class of a model's line in a legend: the baseline's is dashed, as in the plots."""
    return "line dashed" if model == NAIVE else "line"


def title(name: str, unit: str, entries: Mapping[str, str], shape: str = "box") -> str:
    """Return a plot's title with its legend: a mark in each colour, and what it stands for."""
    marks = (
        f'<li><i class="{look(entry) if shape == "line" else shape}" style="--c:{hue}"></i>{escape(entry)}</li>'
        for entry, hue in entries.items()
    )
    return (
        f'<div class="title"><h2>{escape(name)} <small>{escape(unit)}</small></h2>'
        f'<ul class="legend">{"".join(marks)}</ul></div>'
    )


def board(snapshot: Snapshot | None, colours: Mapping[str, str]) -> str:
    """Return the newest scores of each model as a table."""
    if snapshot is None or not snapshot.scores:
        return title("Newest scores", "", {}) + '<p class="muted">No forecast of this horizon has come true yet.</p>'
    rows = []
    for model, scores in sorted(snapshot.scores.items(), key=lambda item: (item[0] == NAIVE, item[0])):
        last = {name: float(column[-1]) if len(column) else np.nan for name, column in scores.items()}
        chosen = ' class="chosen"' if model == snapshot.key.model else ""
        hue = colours.get(model, "currentColor")
        rows.append(
            f'<tr{chosen}><th><i class="{look(model)}" style="--c:{hue}"></i>{escape(model)}</th>'
            f"<td>{percent(last['coverage'])}</td><td>{percent(last['skill'], sign=True)}</td>"
            f"<td>{percent(last['direction'])}{counted(last['moved'])}</td>"
            f"<td>{basis_points(last['error'])}</td>"
            f"<td>{count(last['scored'])}</td></tr>"
        )
    heads = ("Model", "Coverage", "Skill", "Direction", "Error", "Outcomes")
    ahead = f"{span_label(snapshot.key.horizon, snapshot.key.series.interval)} ahead"
    table = f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>{''.join(rows)}</table>"
    return title("Newest scores", ahead, {}) + table


def counted(outcomes: float) -> str:
    """Return of how many outcomes a share is, nothing if there are none."""
    return f" <small>of {count(outcomes)}</small>" if outcomes > 0 else ""


def lateness(behind: ConsumerLag) -> str:
    """Return a reader's consumer lag, in the wording of `status`."""
    return "unknown" if behind.rows is None and behind.seconds is None else escape(behind.short())


def pipeline(rates: Rates, lag: Mapping[str, ConsumerLag], components: Sequence[ComponentSummary] = ()) -> str:
    """Return throughput, lag, and the condition of each component that is not healthy."""
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
    if components and not others:
        lines = f'<p class="muted">All {len(components)} components are healthy.</p>'
    return title("Pipeline", "", {}) + f'<div class="tiles">{"".join(facts)}</div>{lines}'
