"""The colours of the page, light and dark, each once: the plots, the theme and the style sheet all take them from here.

Hit and miss are blue and orange, which all common kinds of colour vision tell apart; candles are neutral so that the
forecasts carry the colour.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from models.colours import COLOURS, colours
from models.skill import NAIVE

FONT = "Inter, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif"

THEMES = ("auto", "light", "dark")
"""What the viewer may choose; auto is the system's."""


@dataclass(frozen=True, kw_only=True)
class Palette:
    """One theme's colours, but for those of models; `other_regimes` are taken in turn for a state that has none."""

    page: str
    card: str
    ink: str
    muted: str
    line: str
    grid: str
    candle: str
    volume: str
    hit: str
    miss: str
    hit_area: str
    miss_area: str
    good: str
    warn: str
    bad: str
    baseline: str
    dark: bool
    regimes: tuple[tuple[str, str], ...]
    other_regimes: tuple[str, ...]

    def css(self) -> str:
        """Return the colours as CSS variables; those of regimes are for the plots only."""
        plain = {name: value for name, value in asdict(self).items() if isinstance(value, str)}
        return "".join(f"--{name}:{value};" for name, value in plain.items())


LIGHT = Palette(
    page="#f4f6f8",
    card="#ffffff",
    ink="#18212b",
    muted="#5a6673",
    line="#dfe4ea",
    grid="#edf0f3",
    candle="#45525f",
    volume="#aeb8c2",
    hit="#0072b2",
    miss="#d96b00",
    hit_area="#cfe3f0",
    miss_area="#f8dcc0",
    good="#1a7f4b",
    warn="#9a6200",
    bad="#b3261e",
    baseline=COLOURS[NAIVE].light,
    dark=False,
    regimes=(("calm", "#d6dde4"), ("trending_up", "#b3c05e"), ("trending_down", "#a06a55"), ("turbulent", "#3d4859")),
    other_regimes=("#8fb8d6", "#b8a76a", "#7a8a5c"),
)
DARK = Palette(
    page="#0e1318",
    card="#161c23",
    ink="#e3e8ee",
    muted="#98a5b3",
    line="#28313b",
    grid="#212932",
    candle="#b4c0cc",
    volume="#5e6b79",
    hit="#4fa8ec",
    miss="#f5923a",
    hit_area="#21405a",
    miss_area="#593a1e",
    good="#4cc38a",
    warn="#e0a63b",
    bad="#ff7a70",
    baseline=COLOURS[NAIVE].dark,
    dark=True,
    regimes=(("calm", "#465463"), ("trending_up", "#a3b255"), ("trending_down", "#8f5d4b"), ("turbulent", "#d3dbe4")),
    other_regimes=("#5f89a8", "#a39357", "#77875a"),
)
PALETTES = {"light": LIGHT, "dark": DARK}


def model_colours(models: Sequence[str], palette: Palette) -> dict[str, str]:
    """Return each model's colour, and the baseline's."""
    values = colours([NAIVE, *models])
    return {model: colour.dark if palette.dark else colour.light for model, colour in values.items()}


def model_dash(model: str) -> tuple[int, ...]:
    """Return how the lines of a model are broken: drawn and left out in turn, in pixels."""
    return colours([model])[model].dash


def regime_colours(states: Sequence[str], palette: Palette) -> dict[str, str]:
    """Return the colour of each state: the known ones in their own order, then the others by name."""
    known = {state: colour for state, colour in palette.regimes if state in states}
    others = sorted(set(states) - set(known))
    count = len(palette.other_regimes)
    return known | {state: palette.other_regimes[place % count] for place, state in enumerate(others)}


def bokeh_theme(palette: Palette) -> dict[str, Any]:
    """Return the part of the look that is the same in every plot, as a Bokeh theme."""
    label = {"text_font": FONT, "text_color": palette.muted, "text_font_size": "11px", "text_font_style": "normal"}
    axis = {f"{part}_{name}": value for part in ("axis_label", "major_label") for name, value in label.items()}
    lines = {"axis_line_color": palette.line, "major_tick_line_color": palette.line, "minor_tick_line_color": None}
    return {
        "attrs": {
            "Plot": {"background_fill_color": None, "border_fill_color": None, "outline_line_color": None},
            "Grid": {"grid_line_color": palette.grid},
            "Axis": {**axis, **lines, "major_tick_in": 0, "major_tick_out": 4, "axis_label_standoff": 6},
        }
    }
