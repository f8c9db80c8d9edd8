"""The titles of plots with their legends, whose entries switch what they stand for off and on."""

from collections.abc import Sequence
from html import escape

from dashboard.live import layers
from dashboard.live.charts import BAND_ALPHAS
from dashboard.live.fan import BANDS
from dashboard.live.look import Look
from dashboard.live.series_reader import Snapshot
from dashboard.live.view_state import span_label
from dashboard.palette import model_dash


def title(name: str, unit: str, entries: Sequence[str]) -> str:
    """Return a plot's title with its legend: marks, and what they stand for (HTML already)."""
    marks = "".join(f"<li>{entry}</li>" for entry in entries)
    return (
        f'<div class="title"><h2>{escape(name)} <small>{escape(unit)}</small></h2><ul class="legend">{marks}</ul></div>'
    )


def mark(shape: str, colour: str, name: str, strength: float = 1.0) -> str:
    """Return a swatch of a colour and what it stands for."""
    faint = f";--s:{100 * strength:.0f}%" if strength < 1 else ""
    return f'<i class="{shape}" style="--c:{colour}{faint}"></i>{escape(name)}'


def line(colour: str, dash: tuple[int, ...], name: str) -> str:
    """Return a piece of a line as it is drawn, and what it stands for."""
    broken = f' stroke-dasharray="{" ".join(map(str, dash))}"' if dash else ""
    return (
        f'<svg class="line" width="22" height="8" aria-hidden="true"><path d="M0 4h22" stroke="{escape(colour)}" '
        f'stroke-width="2"{broken}/></svg>{escape(name)}'
    )


def switch(layer: str, content: str, look: Look) -> str:
    """Return a button that switches a layer off and on."""
    pressed = str(layer not in look.hidden).lower()
    return (
        f'<button type="button" data-press="{escape(layers.PRESS + layer)}" aria-pressed="{pressed}">{content}</button>'
    )


def of_fan(snapshot: Snapshot, look: Look) -> list[str]:
    """Return a mark for each band of the fan and its median, and for intervals that were hit or missed."""
    entries, seen = [], 1.0
    if snapshot.key.model:
        for (label, lower, _), alpha in zip(BANDS, BAND_ALPHAS, strict=True):
            seen *= 1 - alpha  # a narrow band lies on the wide ones
            entries.append(switch(lower, mark("band", look.fan, label, 1 - seen), look))
        dash = model_dash(snapshot.key.model)
        entries.append(switch(layers.MEDIAN, line(look.fan, dash, f"{snapshot.key.model} median"), look))
    ahead = span_label(snapshot.key.horizon, snapshot.key.series.interval)
    entries.append(switch(layers.HIT, mark("box", look.palette.hit_area, f"{ahead} interval hit"), look))
    entries.append(switch(layers.MISSED, mark("box", look.palette.miss, "missed"), look))
    return entries
