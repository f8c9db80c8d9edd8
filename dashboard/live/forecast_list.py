"""The last forecasts of the chosen model and horizon as a list of buttons, each of which opens one."""

import numpy as np

from dashboard.html import heading
from dashboard.live import opened_forecast
from dashboard.live.look import Look
from dashboard.live.series_reader import Snapshot
from dashboard.live.view_state import span_label
from dashboard.number_format import DASH, price

SHOWN = 8
HOW = "Click one, a candle or the fan to see what is behind the forecast."
VERDICTS = {1.0: "hit", 0.0: "missed"}


def table(snapshot: Snapshot, look: Look) -> str:
    """Return the newest forecast, and the last ones of what is drawn that have come true."""
    ahead = span_label(snapshot.key.horizon, snapshot.key.series.interval)
    rows = [*_newest(snapshot, look), *_resolved(snapshot, look)]
    if not rows:
        return heading("Last forecasts") + '<p class="muted">No forecast of this horizon is in what is drawn.</p>'
    heads = ("Made", "90 % from", "to", "Came true at", "Interval")
    made = f"{snapshot.key.model}, {ahead} ahead"
    return heading("Last forecasts", made) + (
        f'<p class="muted">{HOW}</p><table class="list"><tr>{"".join(f"<th>{head}</th>" for head in heads)}</tr>'
        f"{''.join(rows)}</table>"
    )


def _newest(snapshot: Snapshot, look: Look) -> list[str]:
    fan = snapshot.fan
    at = np.flatnonzero(fan["horizon"] == snapshot.key.horizon)
    if not len(at):
        return []
    place = int(at[0])
    return [_row(float(fan["time"][0]), [price(fan["q05"][place]), price(fan["q95"][place]), DASH, "open"], look)]


def _resolved(snapshot: Snapshot, look: Look) -> list[str]:
    bars = snapshot.bars
    known = np.flatnonzero(~np.isnan(bars["made"]))[::-1][:SHOWN].tolist()
    return [
        _row(
            float(bars["made"][place]),
            [
                *(price(float(bars[name][place])) for name in ("lower", "upper", "realised")),
                VERDICTS.get(float(bars["hit"][place]), DASH),
            ],
            look,
        )
        for place in known
    ]


def _row(made: float, cells: list[str], look: Look) -> str:
    opened = round(made) == look.opened
    name = look.clock.moment(made)
    chosen = ' class="chosen"' if opened else ""
    return (
        f"<tr{chosen}><th>"
        f'<button type="button" class="action" data-press="{opened_forecast.button(made)}" '
        f'aria-pressed="{str(opened).lower()}" title="Forecast of {name}" aria-label="Forecast of {name}">'
        f"{look.clock.at(made):%H:%M}</button></th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    )
