"""One viewer's page: it keeps the choice, looks at what the readers know, and draws changes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bokeh.document import Document
from bokeh.models.css import InlineStyleSheet
from bokeh.models.widgets.groups import RadioButtonGroup
from bokeh.models.widgets.inputs import Select

from dashboard.analytics import decision_text, page_text, tables, walk_forward_table
from dashboard.analytics.challenge_reader import Decisions
from dashboard.analytics.drawing import Drawing
from dashboard.analytics.evaluation_reader import WalkForward
from dashboard.analytics.forecasts_reader import Figures, ForecastsKey
from dashboard.analytics.page_text import Freshness
from dashboard.analytics.scores_reader import Scores
from dashboard.analytics.view_state import COSTS_BP, WINDOWS, Catalog, Choice, Market, parse, query, settle
from dashboard.live.freshness import stale_after
from dashboard.live.view_state import span_label
from dashboard.palette import model_colours
from dashboard.polled_reader import PolledReader, Reading
from dashboard.service import PageRequest
from dashboard.site_page import SitePage, look
from dashboard.static_files import asset
from topics.records import HORIZONS

ALL = "All symbols"
UNDRAWN: tuple[object, object] = (object(), None)


@dataclass(frozen=True, kw_only=True)
class Readers:
    """The threads that read for the page."""

    scores: PolledReader[Any, Market, Scores]
    decisions: PolledReader[Any, str, Decisions]
    forecasts: PolledReader[Any, ForecastsKey, Figures | None]
    evaluation: PolledReader[Any, str, WalkForward | None]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the readers know of the choice now."""

    scores: Reading[Scores]
    decisions: Reading[Decisions]
    figures: Reading[Figures | None]
    walk_forward: Reading[WalkForward | None]


class AnalyticsView(SitePage):
    """The document of one browser tab."""

    at_once = ("skill", "coverage")

    def __init__(
        self, document: Document, request: PageRequest, readers: Readers, interval: str, stale_after_s: float | None
    ) -> None:
        super().__init__(document, request, page_text.NAMES)
        self.readers, self.interval = readers, interval
        self.limit_s = stale_after(interval) if stale_after_s is None else stale_after_s
        self.choice, notes = parse(self.given)
        self.notes += notes
        self.catalog = Catalog((), ())
        self.drawing = Drawing(self.in_view)
        self.drawn: dict[str, tuple[object, object]] = {}
        self.begun = time.monotonic()
        sheet = InlineStyleSheet(css=asset("analytics.css"))
        for text in self.texts.values():
            text.stylesheets = [*text.stylesheets, sheet]
        self.symbol = Select(name="symbol", sizing_mode="stretch_width", **look())
        self.model = Select(name="model", sizing_mode="stretch_width", **look())
        spans = [span_label(horizon, interval) for horizon in HORIZONS]
        self.horizon = RadioButtonGroup(name="horizon", labels=spans, **look())
        self.window = RadioButtonGroup(name="window", labels=[window.name for window in WINDOWS], **look())
        self.cost = RadioButtonGroup(name="cost", labels=[f"{cost} bp" for cost in COSTS_BP], **look())
        self._showing = False
        self._open()

    def _open(self) -> None:
        for root in (self.symbol, self.model, self.horizon, self.window, self.cost, *self.drawing.plots()):
            self.document.add_root(root)
        self._show_choice()
        for select in (self.symbol, self.model):
            select.on_change("value", self._chosen)
        for group in (self.horizon, self.window, self.cost):
            group.on_change("active", self._chosen)
        self.begin()

    def query(self) -> Mapping[str, str | None]:
        """Return the choice as the address has it."""
        return query(self.choice)

    def tick(self) -> None:
        """Bring the page to what its readers know."""
        seen = self._seen()
        catalog = Catalog((), ()) if seen.scores.value is None else seen.scores.value.catalog
        if catalog != self.catalog and catalog.models:
            self.catalog, self.drawn = catalog, {}
            self._settle()
            seen = self._seen()
        self._draw(seen)
        self._say(seen)

    def paint(self) -> None:
        """Draw everything anew in the colours of the theme."""
        self.drawn = {}
        self._draw(self._seen())

    def _seen(self) -> Seen:
        model, readers = self.choice.model, self.readers
        unknown: Reading[Any] = Reading(None, None, None)
        return Seen(
            scores=readers.scores.view(self.choice.market, self.wake),
            decisions=unknown if model is None else readers.decisions.view(model, self.wake),
            figures=unknown if model is None else readers.forecasts.view(ForecastsKey(self.choice.market, model)),
            walk_forward=readers.evaluation.view("newest"),
        )

    def _settle(self) -> None:
        self.choice, notes = settle(self.choice, self.catalog)
        self.notes += notes
        self._show_choice()
        self.address()

    def _chosen(self, attr: str, old: object, new: object) -> None:  # noqa: ARG002 - Bokeh asks for this signature
        """Take over what the viewer has set in the choosers."""
        if self._showing:
            return
        market = Market(
            symbol=None if self.symbol.value in ("", ALL) else str(self.symbol.value),
            horizon=HORIZONS[self.horizon.active or 0],
            window=WINDOWS[self.window.active or 0],
        )
        self.choice = Choice(
            market=market, model=self.model.value or self.choice.model, cost_bp=COSTS_BP[self.cost.active or 0]
        )
        self.notes, self.drawn = (), {}
        self.address()
        self.tick()

    def _show_choice(self) -> None:
        """Show the choice in the choosers."""
        self._showing = True
        market = self.choice.market
        self.symbol.options = [ALL, *(self.catalog.symbols or filter(None, (market.symbol,)))]
        self.symbol.value = market.symbol or ALL
        self.model.options = [*(self.catalog.models or filter(None, (self.choice.model,)))]
        self.model.value = self.choice.model or ""
        self.horizon.active = HORIZONS.index(market.horizon)
        self.window.active = WINDOWS.index(market.window)
        self.cost.active = COSTS_BP.index(self.choice.cost_bp)
        self._showing = False

    def _draw(self, seen: Seen) -> None:
        """Draw what has changed; of what is not known of the choice, nothing."""
        models = model_colours(self.catalog.models, self.palette)
        parts: tuple[tuple[str, Reading[Any], Callable[[Any, Mapping[str, str]], None]], ...] = (
            ("scores", seen.scores, self._draw_scores),
            ("decisions", seen.decisions, self._draw_decisions),
            ("figures", seen.figures, self._draw_figures),
            ("walk_forward", seen.walk_forward, self._draw_walk_forward),
        )
        changed = False
        for name, reading, draw in parts:
            # By identity: what was read holds arrays, and what has not changed is the same object.
            value, state = self.drawn.get(name, UNDRAWN)
            known = reading.value, (reading.age_s is None, reading.error)
            if value is not known[0] or state != known[1]:
                self.drawn[name], changed = known, True
                draw(reading, models)
        if changed:
            self._paint(seen, models)

    def _draw_scores(self, reading: Reading[Scores], models: Mapping[str, str]) -> None:
        self.drawing.scores(reading.value)
        board = () if reading.value is None else reading.value.board
        self.write("board", tables.board(board, self.choice.model, self.choice.market.horizon, models))

    def _draw_decisions(self, reading: Reading[Decisions], _: Mapping[str, str]) -> None:
        decisions, waits = reading.value, page_text.reading(reading)
        challenges = () if decisions is None else decisions.challenges
        self.drawing.challenges(challenges, self.choice.market.horizon)
        self.write("verdicts", waits if decisions is None else decision_text.challenges(decisions))
        self.write("buttons", "" if decisions is None else decision_text.buttons(decisions))
        self.write("log", waits if decisions is None else decision_text.log(decisions))

    def _draw_figures(self, reading: Reading[Figures | None], _: Mapping[str, str]) -> None:
        figures, cost = reading.value, self.choice.cost_bp
        policy = None if figures is None else figures.policies[cost]
        self.drawing.figures(figures)
        self.drawing.policy(policy)
        self.write("basis", page_text.basis(reading))
        for name, of in page_text.GROUPS.items():
            self.write(name, "" if figures is None else tables.groups(of.heading, figures.groups[of.group]))
        self.write("policy", page_text.basis(reading) if policy is None else tables.policy(policy, cost))

    def _draw_walk_forward(self, reading: Reading[WalkForward | None], _: Mapping[str, str]) -> None:
        known = reading.age_s is not None
        table = walk_forward_table.table(reading.value, self.choice.market.horizon)
        self.write("walk_forward", table if known else page_text.reading(reading))

    def _paint(self, seen: Seen, models: Mapping[str, str]) -> None:
        """Put on the colours, and the titles that explain them."""
        decisions, figures = seen.decisions.value, seen.figures.value
        challengers = [] if decisions is None else [one.pair.challenger for one in decisions.challenges]
        self.drawing.paint(models, self.choice.model, figures, challengers, self.palette)
        for name, html in page_text.titles(self.choice, self.interval, models, self.palette, challengers).items():
            self.write(name, html)
        if figures is not None and not figures.reliability:
            self.write("reliability_title", page_text.thin())

    def _say(self, seen: Seen) -> None:
        """Say how old what is shown is."""
        freshness = Freshness.of(seen.scores, time.monotonic() - self.begun, self.limit_s)
        errors = [one.error for one in (seen.scores, seen.decisions, seen.figures, seen.walk_forward)]
        self.write("badge", page_text.badge(freshness))
        self.write("notices", page_text.notices(freshness, self.notes, errors))
        self.texts["notices"].visible = bool(self.texts["notices"].text)
        self.write("blank", page_text.blank(freshness))
        self.bridge.state = freshness.state
