"""The newest forecast in numbers and words, beside the fan."""

from html import escape

import numpy as np

from dashboard.live.look import Look
from dashboard.live.series_reader import Snapshot
from dashboard.live.view_state import span_label
from dashboard.number_format import percent, price

NOTHING = "No forecast for the newest bars."


def sentence(snapshot: Snapshot, look: Look) -> str:
    """Return what the chosen model says of the chosen horizon, and how old that is if it is old."""
    fan = snapshot.fan
    at = np.flatnonzero(fan["horizon"] == snapshot.key.horizon)
    if not len(at):
        return f'<p class="forecast muted">{NOTHING}</p>'
    made, row = float(fan["time"][0]), {name: float(column[at[0]]) for name, column in fan.items()}
    ahead = span_label(snapshot.key.horizon, snapshot.key.series.interval)
    chance = "" if np.isnan(row["p_up"]) else f"{percent(row['p_up'], 0)} chance of a rise, "
    text = (
        f"{escape(str(snapshot.key.model))}, {ahead} ahead: <b>{chance}90 % between {price(row['q05'])} and "
        f"{price(row['q95'])}</b> by {look.clock.brief(row['time'], made)}, median {price(row['q50'])}."
    )
    if not look.old:
        return f'<p class="forecast">{text}</p>'
    behind = f", {snapshot.behind} bars before the newest bar" if snapshot.behind else ""
    return f'<p class="forecast old"><b>Old forecast</b> of {look.clock.moment(made)}{behind}. {text}</p>'


def table(snapshot: Snapshot, look: Look) -> str:
    """Return the newest forecast of every horizon: its target time, median, 90 % interval and chance of a rise."""
    fan, interval = snapshot.fan, snapshot.key.series.interval
    rows = []
    for at in np.flatnonzero(fan["horizon"] > 0).tolist():
        row = {name: float(column[at]) for name, column in fan.items()}
        horizon = round(row["horizon"])
        chosen = ' class="chosen"' if horizon == snapshot.key.horizon else ""
        rows.append(
            f"<tr{chosen}><th>{span_label(horizon, interval)} "
            f"<small>by {look.clock.brief(row['time'], float(fan['time'][0]), zone='')}</small></th>"
            f"<td>{price(row['q50'])}</td>"
            f"<td>{price(row['q05'])}</td><td>{price(row['q95'])}</td><td>{percent(row['p_up'], 0)}</td></tr>"
        )
    made = f"{escape(str(snapshot.key.model))}, of {look.clock.moment(float(fan['time'][0]))}" if rows else ""
    heading = f'<div class="title"><h2>Forecast <small>{made}</small></h2></div>'
    if not rows:
        return heading + f'<p class="muted">{NOTHING}</p>'
    heads = ("Ahead", "Median", "90 % from", "to", "P(up)")
    return heading + (
        f'<table class="{"old" if look.old else ""}"><tr>{"".join(f"<th>{head}</th>" for head in heads)}</tr>'
        f"{''.join(rows)}</table>"
    )


def coverage_warning(snapshot: Snapshot, look: Look) -> str:
    """Return what the drift monitor says of an interval that has covered too little, nothing if it does not."""
    alarm = snapshot.alarm
    if alarm is None:
        return ""
    ahead = "" if alarm.horizon is None else f" {span_label(alarm.horizon, snapshot.key.series.interval)} ahead"
    return f"{snapshot.key.model}{ahead}: {alarm.detail}, since {look.clock.moment(alarm.since)} (drift monitor)."
