"""The parts of the page that are text: each a function from values to HTML. Whatever comes from data is escaped."""

from collections.abc import Mapping
from datetime import datetime
from html import escape

import numpy as np

from dashboard.choice import BASELINE, span_label
from dashboard.growth import Rates
from dashboard.health import Health
from dashboard.reading import Snapshot
from dashboard.wording import DASH, basis_points, count, currencies, percent, price, state_name


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
            f' <small>{percent(snapshot.regime.probability, 0)}</small>',
        )
    return (
        f'<div class="head"><div class="symbol">{escape(symbol)}<small>{escape(interval)} bars</small></div>'
        f'<div class="price">{price(close[-1])}<small>{escape(quote)}</small></div>'
        + fact(f"Change in {span_label(snapshot.key.span, interval)}", f"{arrow} {percent(change, 2, sign=True)}")
        + regime
        + fact("Last bar", moment(snapshot.newest.bar))
        + "</div>"
    )


def fact(name: str, value: str) -> str:
    """Return a small label above a value (which is HTML already)."""
    return f'<div class="fact"><span>{escape(name)}</span><b>{value}</b></div>'


def badge(health: Health) -> str:
    """Return the state of the page as a badge, with its sentence for whoever points at it."""
    detail = health.detail if health.kind == "live" and health.label != "live" else ""
    text = health.detail if health.label == "live" else detail
    return (
        f'<div class="badge {health.kind}" role="status" title="{escape(health.detail)}"><i class="dot"></i>'
        f"{escape(health.label)}{f'<small>{escape(text)}</small>' if text else ''}</div>"
    )


def notices(health: Health, notes: tuple[str, ...]) -> str:
    """Return what the viewer should know: the state where it is not live, and what could not be followed."""
    lines = []
    if health.kind in ("unreachable", "stale"):
        lines.append(f'<p class="{health.kind}">{escape(health.detail)}</p>')
    lines += [f'<p class="note">{escape(note)}</p>' for note in notes]
    return "".join(lines)


def blank(health: Health) -> str:
    """Return what stands in place of the plots while there is nothing to draw."""
    titles = {"empty": "No data yet", "unreachable": "The database does not answer", "connecting": "Connecting"}
    commands = "<code>./foretick up</code><code>./foretick replay FILE</code>" if health.kind == "empty" else ""
    return (
        f'<div class="blank {health.kind}"><h2>{titles.get(health.kind, "Reading")}</h2>'
        f"<p>{escape(health.detail)}</p>{commands}</div>"
    )


def legend(entries: Mapping[str, str], shape: str = "box") -> str:
    """Return a legend: a mark in each colour with its name."""
    marks = (f'<li><i class="{shape}" style="--c:{colour}"></i>{escape(name)}</li>' for name, colour in entries.items())
    return f'<ul class="legend">{"".join(marks)}</ul>'


def board(snapshot: Snapshot | None, colours: Mapping[str, str]) -> str:
    """Return the newest scores of each model as a table."""
    if snapshot is None or not snapshot.scores:
        return '<p class="muted">No forecast of this horizon has come true yet.</p>'
    rows = []
    for model, scores in sorted(snapshot.scores.items(), key=lambda item: (item[0] == BASELINE, item[0])):
        last = {name: float(column[-1]) if len(column) else np.nan for name, column in scores.items()}
        chosen = ' class="chosen"' if model == snapshot.key.model else ""
        rows.append(
            f'<tr{chosen}><th><i class="line" style="--c:{colours.get(model, "currentColor")}"></i>{escape(model)}</th>'
            f"<td>{percent(last['coverage'])}</td><td>{percent(last['skill'], sign=True)}</td>"
            f"<td>{percent(last['direction'])}</td><td>{basis_points(last['error'])}</td><td>{count(last['scored'])}</td></tr>"
        )
    titles = ("Model", "Coverage", "Skill", "Direction", "Mean error", "Outcomes")
    return f"<table><tr>{''.join(f'<th>{title}</th>' for title in titles)}</tr>{''.join(rows)}</table>"


def pipeline(rates: Rates, lag: Mapping[str, int | None]) -> str:
    """Return throughput and lag."""
    tiles = [("Bars", count(rates.bars), "/s"), ("Predictions", count(rates.predictions), "/s")]
    tiles += [(f"Lag, {name}", count(frames), "frames") for name, frames in lag.items()]
    return (
        '<div class="tiles">'
        + "".join(
            fact(name, "unknown" if value == DASH else f"{value} <small>{unit}</small>") for name, value, unit in tiles
        )
        + "</div>"
    )
