"""Shows which forecast is open among the candles: a line from its price to its median, across its 90 % interval."""

from math import exp

from bokeh.models.sources import ColumnDataSource
from bokeh.plotting import figure

from dashboard.forecast.reader import StoredForecast
from dashboard.live.detail import ForecastKey
from dashboard.live.look import Look


class ChartMark:
    """What is drawn on one viewer's plot of prices."""

    def __init__(self, price: figure) -> None:
        self.way = ColumnDataSource({"time": [], "price": []})
        self.reach = ColumnDataSource({"time": [], "low": [], "high": []})
        way = price.line("time", "price", source=self.way, line_width=1.5, line_dash=[5, 3])
        ends = price.scatter("time", "price", source=self.way, size=7)
        reach = price.segment("time", "low", "time", "high", source=self.reach, line_width=3)
        self.glyphs = [renderer.glyph for renderer in (way, ends, reach)]
        self._shown: object = None

    def show(self, key: ForecastKey | None, told: StoredForecast | None, look: Look) -> None:
        """Draw the forecast, nothing if none is known."""
        said = told.said if told else None
        shown = key, said, look.palette
        if shown == self._shown:
            return
        self._shown = shown
        for glyph in self.glyphs:
            for name in glyph.properties() & {"fill_color", "line_color"}:
                setattr(glyph, name, look.palette.ink)
        if key is None or told is None or said is None or said.quantiles is None:
            self.way.data = {"time": [], "price": []}
            self.reach.data = {"time": [], "low": [], "high": []}
            return
        at = {name: said.price * exp(value) for name, value in said.quantiles.items()}
        self.way.data = {"time": [float(key.time), told.target], "price": [said.price, at["q50"]]}
        self.reach.data = {"time": [told.target], "low": [at["q05"]], "high": [at["q95"]]}
