"""One viewer's page: it keeps the choice, reads the feed, and draws changes."""

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import ClassVar
from urllib.parse import parse_qsl

from bokeh.document import Document
from bokeh.events import DocumentReady, Event, Tap
from bokeh.models.css import InlineStyleSheet

from dashboard.clock import clock_of
from dashboard.html import heading
from dashboard.lag import LagMonitor
from dashboard.live import forecast_text, header, layers, opened_forecast, panel_switches, panels
from dashboard.live.choosers import Choosers
from dashboard.live.comparison.panel import ComparisonPanel, chosen
from dashboard.live.detail import Detail
from dashboard.live.drawing import Drawing
from dashboard.live.feed import Feed, View
from dashboard.live.freshness import Evidence, PageHealth, decide, in_replay, late, stale_after
from dashboard.live.look import Look
from dashboard.live.overlays.panel import OverlayPanel, OverlayReader
from dashboard.live.overlays.panes import PRESS as PANE
from dashboard.live.past_controls import PastControls
from dashboard.live.past_view import PastView
from dashboard.live.replay.controls import ReplayControls
from dashboard.live.replay.reader import ReplayReader
from dashboard.live.series_reader import Key, Snapshot, bars_behind
from dashboard.live.timeframes import Window
from dashboard.live.view_state import BarSeries, parse, query, settle
from dashboard.number_format import price
from dashboard.palette import model_colours, regime_colours
from dashboard.service import PageRequest
from dashboard.site_page import SitePage
from dashboard.static_files import asset
from topics.units import interval_ms

TEXTS = (
    "headline",
    "panels",
    "comparison",
    "price_title",
    "forecast_words",
    "events_title",
    "regime_title",
    "volume_title",
)

NOT_THEN = heading("Pipeline") + '<p class="muted">A replay shows the past: what works now is on Operations.</p>'
SAID_S = 1.0
"""What differs at each look is written again after so long at the earliest: the browser lays the page out anew."""


class Page(SitePage):
    """The document of one browser tab."""

    own_clock: ClassVar[bool] = True

    def __init__(
        self,
        document: Document,
        feed: Feed,
        lag: LagMonitor,
        interval: str,
        request: PageRequest,
        stale_after_s: float | None = None,
        overlays: OverlayReader | None = None,
        replays: ReplayReader | None = None,
        comparison: ComparisonPanel | None = None,
        detail: Detail | None = None,
    ) -> None:
        super().__init__(document, request, (*TEXTS, *panels.names()))
        self.feed, self.lag, self.interval, self.stale_after_s = feed, lag, interval, stale_after_s
        self.choice, notes = parse(self.given, interval)
        self.notes += notes
        self.series: tuple[BarSeries, ...] = ()
        self.models: tuple[str, ...] = ()
        self.snapshot: Snapshot | None = None
        self.comparison = comparison
        self.texts["comparison"].stylesheets = [
            *self.texts["comparison"].stylesheets,
            InlineStyleSheet(css=asset("comparison.css")),
        ]
        self.drawing, self.choosers = Drawing(), Choosers(interval)
        self.overlays = OverlayPanel(self.drawing.market, self.drawing.cross, overlays)
        self.past = PastControls(self.drawing)
        self.replay = ReplayControls(self.drawing, replays, self._go)
        self.old = False
        self._drawn: object = None
        self._said_at, self._said_in_replay = float("-inf"), False
        self._showing = False
        for root in (
            *self.choosers.selects,
            *self.choosers.groups,
            *self.drawing.plots(),
            *self.overlays.roots(),
            *self.past.widgets,
            *self.replay.widgets,
        ):
            document.add_root(root)
        self.detail = detail
        if detail is not None:
            detail.attach(document, self.drawing.market.price)
            self.drawing.market.price.on_event(Tap, self._tapped)
        self._show_choice()
        for select in self.choosers.selects:
            select.on_change("value", self._chosen)
        for group in self.choosers.groups:
            group.on_change("active", self._chosen)
        self.overlays.chooser.on_change("value", self._indicators_chosen)
        self.past.box.on_change("value", self._asked)
        for way, button in ((-1, self.past.earlier), (1, self.past.later), (0, self.past.newest)):
            button.on_click(partial(self._stepped, way))
        self.bridge.on_change("pressed", self._pressed)
        self.bridge.on_change("visited", self._visited)
        panel_switches.follow(document, self.bridge)
        document.js_on_event(DocumentReady, self.overlays.panes.count, self.replay.named)
        self.begin()

    def query(self) -> Mapping[str, str | None]:
        """Return the choice as the address has it."""
        return query(self.choice, self.interval)

    def _chosen(self, attr: str, old: object, new: object) -> None:  # noqa: ARG002 - Bokeh asks for this signature
        """Take over what the viewer has set in the choosers."""
        if not self._showing:
            self.choice, self.notes = self.choosers.chosen(self.choice), ()
            self._changed(step=True)

    def _indicators_chosen(self, attr: str, old: object, new: object) -> None:  # noqa: ARG002 - likewise
        """Add the indicator that the viewer has picked."""
        if not self._showing and new:
            self._indicate(self.overlays.added())

    def _indicate(self, indicators: tuple[str, ...]) -> None:
        self.choice, self.notes = replace(self.choice, indicators=indicators), ()
        self._changed(step=True)

    def _asked(self, attr: str, old: object, new: object) -> None:  # noqa: ARG002 - likewise
        """Go to the date in the box."""
        if self.past.box.value:
            self._go(self.past.asked(str(self.past.box.value), self._look().clock, self.choice.past), True)
            self.past.box.value = ""

    def _stepped(self, way: int) -> None:
        """Go to what is before or after the view, or to the newest bars."""
        if self.choice.series is not None:
            self._go(self.past.beside(self.choice.series, way) if way else PastView(), True)

    def _go(self, past: PastView, step: bool | None) -> None:
        self.notes, self.choice = (), replace(self.choice, past=past)
        if step is None:
            self.tick()
        else:
            self._changed(step)

    def _pressed(self, attr: str, old: object, new: object) -> None:  # noqa: ARG002 - likewise
        """Switch the layer whose button in a legend was pressed, show the model and horizon whose button was, or open
        the forecast whose button it was."""
        choice = panel_switches.switched(chosen(self.choice, self.bridge.pressed), self.bridge.pressed)
        choice = opened_forecast.pressed(choice, self.bridge.pressed)
        if choice != self.choice:
            self.choice = choice
            self._changed(step=True)
        layer = self.bridge.pressed.removeprefix(layers.PRESS)
        if layer and layers.known(layer):
            self.choice = self.choice.pressed(layer)
            self._changed(step=True)
        if self.bridge.pressed.startswith(PANE):
            gone = self.bridge.pressed.removeprefix(PANE)
            self._indicate(tuple(name for name in self.choice.indicators if name != gone))
        self.bridge.pressed = ""

    def _tapped(self, event: Event) -> None:
        """Open the forecast at which the viewer has pointed."""
        if self.snapshot is None or not isinstance(event, Tap) or event.x is None:
            return
        choice = opened_forecast.pointed(self.choice, self.snapshot, event.x)
        if choice != self.choice:
            self.choice = choice
            self._changed(step=True)

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
        self.overlays.choose(self.choice.indicators)
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
        self._move()
        view = self._seen()
        models = view.snapshot.models if view.snapshot else ()
        choice, notes = settle(self.choice, view.series, models, self.interval)
        if (choice, view.series) != (self.choice, self.series) or (view.snapshot and models != self.models):
            self.choice, self.series = choice, view.series
            self.models = models or self.models
            self.notes += notes
            self._show_choice()
            view = self._seen()
        health = self._health(view)
        if view.snapshot is not None:
            self.snapshot = view.snapshot
            self._bound()
        elif health.kind == "empty":
            self.snapshot = None
        behind = self.snapshot.behind if self.snapshot else None
        self.old = late(behind) or health.kind in ("stale", "unreachable")
        self.paint()
        self._say(health)
        if self.detail is not None:
            self.detail.show(opened_forecast.key(self.choice), self._look())
        self._say_now(view)

    @property
    def replaying(self) -> bool:
        """Return whether the past is played."""
        return self.choice.past.replay is not None

    def _seen(self) -> View:
        """Return what is known now, or in a replay what was known then."""
        key = self._key()
        return self.replay.seen(self.feed.view(key, self), key)

    def _move(self) -> None:
        """Bring the view to the choice where that is new, and else the choice to the view."""
        self.choice = self.replay.played(self.choice)
        if self.replay.switched(self.choice):
            self.snapshot = None  # what is of now is not shown as of then, nor the other way round
            self.past.forget()
        self.replay.show(self._look().clock)
        if self.replaying:
            return
        before = self.choice
        placed = self.past.place(before)
        self.choice = self.past.follow(placed)
        if self.choice != before:
            self.address()

    def _bound(self) -> None:
        """Stay within what is stored."""
        before, clock = self.choice, self._look().clock
        self.past.show(clock, before.past == PastView())
        if self.replaying:
            return
        self.choice = self.past.bounded(before, self.snapshot, clock)
        if self.choice != before:
            self._move()
            self.address()

    def _health(self, view: View) -> PageHealth:
        """Return the state of the page."""
        interval = self.choice.interval or self.interval
        newest, step = view.newest, interval_ms(interval)
        bar = None if newest is None or newest.bar is None else newest.bar.timestamp() * 1000
        evidence = Evidence(
            limit_s=self.stale_after_s or stale_after(interval),
            error=view.error,
            failure=view.failure or (self.replay.failure if self.replaying else None),
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
        clock = self._look().clock
        return (
            in_replay(evidence, self.replay.health(view.snapshot, clock)) if self.replaying else decide(evidence, clock)
        )

    def _say(self, health: PageHealth) -> None:
        blank = self.snapshot is None
        warning = forecast_text.coverage_warning(self.snapshot, self._look()) if self.snapshot else ""
        self.write("badge", header.badge(health))
        notes = (*self.notes, *self.past.words)
        if self.snapshot is not None:
            notes += self.past.emptiness(self.snapshot, self._look().clock)
        self.write("notices", "" if blank else header.notices(health, notes, warning))
        self.texts["notices"].visible = bool(self.texts["notices"].text)
        self.write("blank", header.blank(health) if blank else "")
        self.bridge.state = "blank" if blank else health.kind

    def _say_now(self, view: View) -> None:
        """Write what is of this moment alone: figures that differ at each look, now and then."""
        if time.monotonic() - self._said_at < SAID_S and self._said_in_replay == self.replaying:
            return
        self._said_at, self._said_in_replay = time.monotonic(), self.replaying
        for panel in panels.TEXTS:
            if panel.now:
                self.write(panel.name, NOT_THEN if self.replaying else panel.now(view.rates, self.lag))

    def _look(self) -> Look:
        """Return how to draw: every model that the snapshot names has its colour, whatever else is known."""
        snapshot, palette = self.snapshot, self.palette
        models = {*self.models, *(snapshot.models if snapshot else ()), *filter(None, (self.choice.model,))}
        return Look(
            palette=palette,
            models=model_colours(sorted(models), palette),
            regimes=regime_colours([run.state for run in snapshot.runs] if snapshot else [], palette),
            model=snapshot.key.model if snapshot else self.choice.model,
            hidden=self.choice.unseen,
            clock=clock_of(self.choice.clock, self.zone),
            old=self.old,
            opened=self.choice.forecast,
        )

    def paint(self) -> None:
        """Draw the snapshot, if it or how it looks has changed."""
        look, snapshot = self._look(), self.snapshot
        self.drawing.paint(look)
        self.write("panels", panel_switches.switches(self.choice))
        if snapshot is None:
            return
        if self._drawn != (snapshot.serial, look):
            self._draw(snapshot, look)
        if self.comparison is not None and "comparison" not in self.choice.without:
            self.write("comparison", self.comparison.html(self.choice, look, snapshot.key.until))
        view = self.drawing.view
        for name, html in self._titles(snapshot, look, view).items():
            self.write(name, html)

    def _titles(self, snapshot: Snapshot, look: Look, view: tuple[float, float]) -> dict[str, str]:
        beside = self.overlays.show(snapshot, look, view)
        return header.titles(snapshot, look, view, self.overlays.entries(look)) | beside

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
        then = "" if snapshot.key.until is None else "Replay: "
        title = f"{then}{snapshot.key.series.symbol} {price(snapshot.latest.close)} · Foretick"
        if self.document.title != title:
            self.document.title = title
