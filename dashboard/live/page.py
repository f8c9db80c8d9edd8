"""One viewer's page: it keeps the choice, reads the feed, and draws changes."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar
from urllib.parse import parse_qsl

from bokeh.document import Document

from dashboard.clock import clock_of
from dashboard.lag import LagMonitor
from dashboard.live import forecast_text, header, layers, panels
from dashboard.live.choosers import Choosers
from dashboard.live.drawing import Drawing
from dashboard.live.feed import Feed, View
from dashboard.live.freshness import Evidence, PageHealth, decide, late, stale_after
from dashboard.live.look import Look
from dashboard.live.series_reader import Key, Snapshot, bars_behind
from dashboard.live.timeframes import Window
from dashboard.live.view_state import BarSeries, parse, query, settle
from dashboard.number_format import price
from dashboard.palette import model_colours, regime_colours
from dashboard.service import PageRequest
from dashboard.site_page import SitePage
from topics.units import interval_ms

TEXTS = ("headline", "price_title", "forecast_words", "regime_title", "volume_title")


class Page(SitePage):
    """The document of one browser tab."""

    tick_ms: ClassVar[int] = 250
    own_clock: ClassVar[bool] = True

    def __init__(
        self,
        document: Document,
        feed: Feed,
        lag: LagMonitor,
        interval: str,
        request: PageRequest,
        stale_after_s: float | None = None,
    ) -> None:
        super().__init__(document, request, (*TEXTS, *panels.names()))
        self.feed, self.lag, self.interval, self.stale_after_s = feed, lag, interval, stale_after_s
        self.choice, notes = parse(self.given, interval)
        self.notes += notes
        self.series: tuple[BarSeries, ...] = ()
        self.models: tuple[str, ...] = ()
        self.snapshot: Snapshot | None = None
        self.drawing, self.choosers = Drawing(), Choosers(interval)
        self.old = False
        self._drawn: object = None
        self._showing = False
        for root in (*self.choosers.selects, *self.choosers.groups, *self.drawing.plots()):
            document.add_root(root)
        self._show_choice()
        for select in self.choosers.selects:
            select.on_change("value", self._chosen)
        for group in self.choosers.groups:
            group.on_change("active", self._chosen)
        self.bridge.on_change("pressed", self._pressed)
        self.bridge.on_change("visited", self._visited)
        self.bridge.on_change("zone", lambda attr, old, new: self.paint())  # noqa: ARG005 - Bokeh asks for it
        self.begin()

    def query(self) -> Mapping[str, str | None]:
        """Return the choice as the address has it."""
        return query(self.choice, self.interval)

    def _chosen(self, attr: str, old: object, new: object) -> None:  # noqa: ARG002 - Bokeh asks for this signature
        """Take over what the viewer has set in the choosers."""
        if not self._showing:
            self.choice, self.notes = self.choosers.chosen(self.choice), ()
            self._changed(step=True)

    def _pressed(self, attr: str, old: object, new: object) -> None:  # noqa: ARG002 - likewise
        """Switch the layer whose button in a legend was pressed."""
        layer = self.bridge.pressed.removeprefix(layers.PRESS)
        if layer and layers.known(layer):
            self.choice = replace(self.choice, hidden=self.choice.hidden ^ {layer})
            self._changed(step=True)
        self.bridge.pressed = ""

    def _visited(self, attr: str, old: object, new: object) -> None:  # noqa: ARG002 - likewise
        """Take over the choice of the address to which the viewer has gone back."""
        if self.bridge.visited:
            self.choice, self.notes = parse(dict(parse_qsl(self.bridge.visited.lstrip("?"))), self.interval)
            self._changed(step=False)
            self.bridge.visited = ""

    def _changed(self, step: bool) -> None:
        self._show_choice(step)
        self.tick()

    def _show_choice(self, step: bool = False) -> None:
        """Show the choice in the choosers and in the address."""
        self._showing = True
        self.choosers.show(self.choice, self.series, self.models)
        self._showing = False
        self.address(step)

    def _key(self) -> Key | None:
        """Return what to ask the feed for, once the series is known."""
        choice, series = self.choice, self.choice.series
        if series is None:
            return None
        window: Window = self.drawing.window(series.interval, choice.span, (series, choice.span))
        return Key(series=series, model=choice.model, horizon=choice.horizon, span=choice.span, window=window)

    def tick(self) -> None:
        """Ask the feed what is known, and bring the page to it. Never waits."""
        view = self.feed.view(self._key())
        models = view.snapshot.models if view.snapshot else ()
        choice, notes = settle(self.choice, view.series, models, self.interval)
        if (choice, view.series) != (self.choice, self.series) or (view.snapshot and models != self.models):
            self.choice, self.series = choice, view.series
            self.models = models or self.models
            self.notes += notes
            self._show_choice()
            view = self.feed.view(self._key())
        health = self._health(view)
        if view.snapshot is not None:
            self.snapshot = view.snapshot
        elif health.kind == "empty":
            self.snapshot = None
        behind = self.snapshot.behind if self.snapshot else None
        self.old = late(behind) or health.kind in ("stale", "unreachable")
        self.paint()
        self._say(health)
        for panel in panels.TEXTS:
            if panel.now:
                self.write(panel.name, panel.now(view.rates, self.lag))

    def _health(self, view: View) -> PageHealth:
        """Return the state of the page."""
        interval = self.choice.interval or self.interval
        newest, step = view.newest, interval_ms(interval)
        bar = None if newest is None or newest.bar is None else newest.bar.timestamp() * 1000
        evidence = Evidence(
            limit_s=self.stale_after_s or stale_after(interval),
            error=view.error,
            read=view.read,
            answer_age_s=view.answer_age_s,
            has_series=bool(view.series),
            age_s=view.age_s,
            forecast_age_s=view.forecast_age_s,
            watched_s=view.watched_s,
            bar=bar,
            bar_age_s=None if bar is None else time.time() - (bar + step) / 1000,
            behind=None if newest is None else bars_behind(newest, step),
            components=self.lag.conditions(),
        )
        return decide(evidence, self._look().clock)

    def _say(self, health: PageHealth) -> None:
        blank = self.snapshot is None
        warning = forecast_text.coverage_warning(self.snapshot, self._look()) if self.snapshot else ""
        self.write("badge", header.badge(health))
        self.write("notices", "" if blank else header.notices(health, self.notes, warning))
        self.texts["notices"].visible = bool(self.texts["notices"].text)
        self.write("blank", header.blank(health) if blank else "")
        self.bridge.state = "blank" if blank else health.kind

    def _look(self) -> Look:
        """Return how to draw: every model that the snapshot names has its colour, whatever else is known."""
        snapshot, palette = self.snapshot, self.palette
        models = {*self.models, *(snapshot.models if snapshot else ()), *filter(None, (self.choice.model,))}
        return Look(
            palette=palette,
            models=model_colours(sorted(models), palette),
            regimes=regime_colours([run.state for run in snapshot.runs] if snapshot else [], palette),
            model=snapshot.key.model if snapshot else self.choice.model,
            hidden=self.choice.hidden,
            clock=clock_of(self.choice.clock, self.bridge.zone),
            old=self.old,
        )

    def paint(self) -> None:
        """Draw the snapshot, if it or how it looks has changed."""
        look, snapshot = self._look(), self.snapshot
        self.drawing.paint(look)
        if snapshot is None:
            return
        if self._drawn != (snapshot.serial, look):
            self._draw(snapshot, look)
        for name, html in header.titles(snapshot, look, self.drawing.view).items():
            self.write(name, html)

    def _draw(self, snapshot: Snapshot, look: Look) -> None:
        """Draw what is of the snapshot alone, wherever the viewer looks."""
        self._drawn = snapshot.serial, look
        self.drawing.draw(snapshot, look)
        self.write("headline", header.headline(snapshot, look))
        for score in panels.SCORES:
            self.write(score.title_name, score.title(snapshot, look))
        for panel in panels.TEXTS:
            if panel.drawn:
                self.write(panel.name, panel.drawn(snapshot, look))
        title = f"{snapshot.key.series.symbol} {price(snapshot.latest.close)} · Foretick"
        if self.document.title != title:
            self.document.title = title
