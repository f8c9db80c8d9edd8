"""One viewer's page: it keeps the choice, reads the feed, and draws changes."""

from dataclasses import replace
from typing import Any

from bokeh.document import Document
from bokeh.models.css import InlineStyleSheet
from bokeh.models.widgets.groups import RadioButtonGroup
from bokeh.models.widgets.inputs import Select
from bokeh.models.widgets.markups import Div
from bokeh.themes import Theme

from dashboard.bridge import Bridge
from dashboard.lag import LagMonitor
from dashboard.live import header, panels
from dashboard.live.drawing import Drawing
from dashboard.live.feed import Feed
from dashboard.live.freshness import PageHealth, decide, stale_after
from dashboard.live.series_reader import Key, Snapshot
from dashboard.live.view_state import SPANS, BarSeries, Choice, parse, query, settle, span_label
from dashboard.number_format import price
from dashboard.palette import PALETTES, THEMES, bokeh_theme, model_colours, regime_colours
from dashboard.service import PageRequest
from dashboard.static_files import asset
from topics.records import HORIZONS

TICK_MS = 250
TEXTS = ("headline", "badge", "notices", "blank", "price_title", "regime_title", "volume_title")


class Page:
    """The document of one browser tab."""

    def __init__(
        self,
        document: Document,
        feed: Feed,
        lag: LagMonitor,
        interval: str,
        request: PageRequest,
        stale_after_s: float | None = None,
    ) -> None:
        self.document, self.feed, self.lag, self.interval = document, feed, lag, interval
        self.stale_after_s = stale_after_s
        self.choice, self.notes = parse(request.arguments, interval)
        self.bridge = Bridge(name="bridge", system=request.system)
        self.series: tuple[BarSeries, ...] = ()
        self.models: tuple[str, ...] = ()
        self.snapshot: Snapshot | None = None
        self.drawing = Drawing()
        sheet, widget_sheet = InlineStyleSheet(css=asset("text.css")), InlineStyleSheet(css=asset("widgets.css"))
        self.texts = {
            name: Div(name=name, stylesheets=[sheet], sizing_mode="stretch_width", margin=0)
            for name in (*TEXTS, *panels.names())
        }
        looks: dict[str, Any] = {"stylesheets": [widget_sheet], "margin": 0}
        self.symbol = Select(name="symbol", sizing_mode="stretch_width", **looks)
        self.model = Select(name="model", sizing_mode="stretch_width", **looks)
        self.horizon = RadioButtonGroup(name="horizon", **looks)
        self.span = RadioButtonGroup(name="span", **looks)
        self.theme = RadioButtonGroup(name="theme", labels=[theme.capitalize() for theme in THEMES], **looks)
        self._showing = False
        self._open()

    def _open(self) -> None:
        widgets = (self.symbol, self.model, self.horizon, self.span, self.theme)
        for root in (self.bridge, *self.texts.values(), *widgets, *self.drawing.plots()):
            self.document.add_root(root)
        self._show_choice()
        self._paint()
        for widget in (self.symbol, self.model):
            widget.on_change("value", self._chosen)
        for group in (self.horizon, self.span, self.theme):
            group.on_change("active", self._chosen)
        self.bridge.on_change("system", self._system_changed)
        self.bridge.follow(self.document)
        self.document.add_periodic_callback(self.tick, TICK_MS)
        self.tick()

    def _chosen(self, attr: str, old: object, new: object) -> None:  # noqa: ARG002 - Bokeh asks for this signature
        """Take over what the viewer has set in the choosers."""
        if self._showing:
            return
        chosen = Choice(
            symbol=self.choice.symbol,
            interval=self.choice.interval,
            model=self.model.value or self.choice.model,
            horizon=HORIZONS[self.horizon.active or 0],
            span=SPANS[self.span.active or 0],
            theme=THEMES[self.theme.active or 0],
        )
        if self.symbol.value:
            symbol, interval = self.symbol.value.split(" ")
            chosen = replace(chosen, symbol=symbol, interval=interval)
        repaint = chosen.theme != self.choice.theme
        self.choice, self.notes = chosen, ()
        self._show_choice()
        if repaint:
            self._paint()
        self.tick()

    def _system_changed(self, attr: str, old: object, new: object) -> None:  # noqa: ARG002 - likewise
        self._paint()

    def _show_choice(self) -> None:
        """Show the choice in the choosers and in the address."""
        self._showing = True
        choice, interval = self.choice, self.choice.interval or self.interval
        known = self.series or ((choice.series,) if choice.series else ())
        series: list[str | tuple[Any, str]] = [(f"{one.symbol} {one.interval}", self._name(one)) for one in known]
        models: list[str | tuple[Any, str]] = [*(self.models or ((choice.model,) if choice.model else ()))]
        self.symbol.options, self.model.options = series, models
        self.symbol.disabled, self.model.disabled = not series, not models
        self.symbol.value = f"{choice.symbol} {choice.interval}" if choice.series in known else ""
        self.model.value = choice.model or ""
        self.horizon.labels = [span_label(horizon, interval) for horizon in HORIZONS]
        self.horizon.active = HORIZONS.index(choice.horizon)
        self.span.labels = [span_label(bars, interval) for bars in SPANS]
        self.span.active = SPANS.index(choice.span)
        self.theme.active = THEMES.index(choice.theme)
        self.bridge.query = query(choice, self.interval)
        self._showing = False

    def _name(self, series: BarSeries) -> str:
        return series.symbol if series.interval == self.interval else f"{series.symbol} ({series.interval})"

    def _paint(self) -> None:
        """Put on the chosen theme: what is drawn is recoloured in place."""
        theme = self.choice.theme if self.choice.theme in PALETTES else self.bridge.system
        self.bridge.theme = theme if theme in PALETTES else "light"
        self.document.theme = Theme(json=bokeh_theme(PALETTES[self.bridge.theme]))
        self._draw()

    @property
    def key(self) -> Key | None:
        """Return what to ask the feed for, once the series is known."""
        series = self.choice.series
        return Key(series, self.choice.model, self.choice.horizon, self.choice.span) if series else None

    def tick(self) -> None:
        """Ask the feed what is known, and bring the page to it. Never waits."""
        view = self.feed.view(self.key)
        models = view.snapshot.models if view.snapshot else ()
        choice, notes = settle(self.choice, view.series, models, self.interval)
        if (choice, view.series) != (self.choice, self.series) or (view.snapshot and models != self.models):
            self.choice, self.series = choice, view.series
            self.models = models or self.models
            self.notes += notes
            self._show_choice()
            view = self.feed.view(self.key)
        limit = self.stale_after_s or stale_after(self.choice.interval or self.interval)
        health = decide(
            error=view.error,
            read=view.read,
            has_series=bool(view.series),
            age_s=view.age_s,
            forecast_age_s=view.forecast_age_s,
            watched_s=view.watched_s,
            limit_s=limit,
            components=self.lag.conditions(),
        )
        if view.snapshot is not None and view.snapshot is not self.snapshot:
            self.snapshot = view.snapshot
            self._draw()
        elif health.kind == "empty" and self.snapshot is not None:
            self.snapshot = None
        self._say(health)
        for panel in panels.TEXTS:
            if panel.now:
                self._write(panel.name, panel.now(view.rates, self.lag))

    def _say(self, health: PageHealth) -> None:
        notes = self.notes
        if self.snapshot is not None and health.kind in ("live", "stale") and not len(self.snapshot.fan["time"]):
            model = self.choice.model
            notes += (f"No forecast of {model} for the newest bars yet." if model else "No forecasts yet.",)
        blank = self.snapshot is None
        self._write("badge", header.badge(health))
        self._write("notices", "" if blank else header.notices(health, notes))
        self.texts["notices"].visible = bool(self.texts["notices"].text)
        self._write("blank", header.blank(health) if blank else "")
        self.bridge.state = "blank" if blank else health.kind

    def _draw(self) -> None:
        """Draw the snapshot in the colours of the theme."""
        palette, snapshot = PALETTES[self.bridge.theme], self.snapshot
        models = model_colours(self.models, palette)
        self.drawing.paint(palette, models, self.choice.model)
        if snapshot is None:
            return
        regimes = regime_colours([run.state for run in snapshot.runs], palette)
        self.drawing.draw(snapshot, palette, models, regimes)
        self._write("headline", header.headline(snapshot, regimes))
        for name, html in header.titles(snapshot, palette, models, regimes).items():
            self._write(name, html)
        for score in panels.SCORES:
            self._write(score.title_name, score.title(snapshot, models))
        for panel in panels.TEXTS:
            if panel.drawn:
                self._write(panel.name, panel.drawn(snapshot, models))
        title = f"{snapshot.key.series.symbol} {price(snapshot.bars['close'][-1])} · Foretick"
        if self.document.title != title:
            self.document.title = title

    def _write(self, name: str, html: str) -> None:
        if self.texts[name].text != html:
            self.texts[name].text = html
