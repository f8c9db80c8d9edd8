"""The colours of the plots: what a theme cannot say, because it belongs to a glyph and not to a class."""

from bokeh.models import GlyphRenderer, Span
from bokeh.plotting import figure
from bokeh.transform import linear_cmap

from dashboard.charts import Market, Score
from dashboard.choice import BASELINE
from dashboard.palette import Palette

CLEAR = "rgba(0, 0, 0, 0)"
RESOLVED_ALPHA = 0.22


def named(plot: figure, name: str) -> list[GlyphRenderer]:
    """Return the renderers of that name."""
    return [one for one in plot.renderers if isinstance(one, GlyphRenderer) and one.name == name]


def paint_market(market: Market, palette: Palette, model_colour: str) -> None:
    """Colour the candles, the forecasts (hit and miss), the fan in its model's colour, and the volume."""
    price = market.price
    for one in named(price, "fan"):
        for property_name in ("fill_color", "line_color"):
            if hasattr(one.glyph, property_name):
                setattr(one.glyph, property_name, model_colour)
    (wick,), (body,), (traded,) = named(price, "wick"), named(price, "body"), named(market.volume, "traded")
    wick.glyph.line_color = body.glyph.line_color = palette.candle
    body.glyph.fill_color = linear_cmap("up", (palette.candle, palette.card), 0, 1)
    traded.glyph.fill_color = palette.volume
    (resolved,), (missed,) = named(price, "resolved"), named(price, "missed")
    resolved.glyph.fill_color = linear_cmap("hit", (palette.miss, palette.hit), 0, 1, nan_color=CLEAR)
    resolved.glyph.fill_alpha = RESOLVED_ALPHA
    missed.glyph.fill_color = linear_cmap("hit", (palette.miss, CLEAR), 0, 1, nan_color=CLEAR)
    for plot in (price, market.ribbon, market.volume):
        paint_lines(plot, palette)


def paint_score(score: Score, palette: Palette, colours: dict[str, str]) -> None:
    """Colour each model's line; the baseline's is dashed, so that it is told apart without colour too."""
    paint_lines(score.plot, palette)
    for model, line in score.lines.items():
        line.glyph.line_color = colours.get(model, palette.baseline)
        line.glyph.line_dash = [4, 3] if model == BASELINE else "solid"


def paint_lines(plot: figure, palette: Palette) -> None:
    """Colour the reference lines and the cross-hair."""
    for span in plot.select(type=Span):
        span.line_color = palette.muted
        span.line_alpha = 0.9 if span.name == "reference" else 0.6
