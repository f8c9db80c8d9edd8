"""One viewer's page of all symbols: it keeps the choice, looks at what the reader knows, and sends what has changed."""

import time
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from bokeh.document import Document
from bokeh.models.css import InlineStyleSheet
from psycopg import Connection

from dashboard.clock import clock_of
from dashboard.html import fact, heading, mark
from dashboard.live import header
from dashboard.live.freshness import Evidence, PageHealth, decide, stale_after
from dashboard.live.view_state import span_label
from dashboard.number_format import state_name
from dashboard.overview.cells import Look, arranged, cells, old, states
from dashboard.overview.choosers import Choosers
from dashboard.overview.reader import PAST_BARS, Key, Overview
from dashboard.overview.symbol_table import Cells, feed, symbol_table
from dashboard.overview.view_state import RISES, Choice, parse, query, settle
from dashboard.palette import PALETTES, regime_colours
from dashboard.polled_reader import PolledReader, Reading
from dashboard.service import PageRequest
from dashboard.site_page import SitePage
from dashboard.static_files import asset
from topics.units import interval_ms

NAMES = ("headline", "table_title", "nothing")
PRESS = "sort:"
"""What the name of a button in the table's head begins with."""


class OverviewView(SitePage):
    """The document of one browser tab."""

    own_clock: ClassVar[bool] = True

    def __init__(
        self,
        document: Document,
        request: PageRequest,
        reader: PolledReader[Connection, Key, Overview],
        interval: str,
        stale_after_s: float | None,
    ) -> None:
        super().__init__(document, request, NAMES)
        self.reader, self.interval, self.stale_after_s = reader, interval, stale_after_s
        self.choice, notes = parse(self.given, interval)
        self.notes += notes
        self.overview: Overview | None = None
        self.choosers, self.table = Choosers(), symbol_table()
        self._painted: Overview | None = None
        self._drawn: object = None
        self._cells: Cells = ()
        self._showing = False
        sheet = InlineStyleSheet(css=asset("overview-text.css"))
        self.texts["headline"].stylesheets = [*self.texts["headline"].stylesheets, sheet]
        for root in (*self.choosers.widgets, self.table):
            document.add_root(root)
        self.table.follow(document)
        self._show_choice()
        self.choosers.on_change(self._chosen)
        self.bridge.on_change("pressed", self._pressed)
        self.bridge.on_change("visited", self._visited)
        self.begin()

    def query(self) -> Mapping[str, str | None]:
        """Return the choice as the address has it."""
        return query(self.choice, self.interval)

    def _chosen(self, attr: str, old: object, new: object) -> None:  # noqa: ARG002 - Bokeh asks for this signature
        if not self._showing:
            found = self.choosers.chosen(self.choice)
            typed = found == replace(self.choice, find=found.find)
            self._take(found, step=not typed)  # each letter would be a step back

    def _pressed(self, attr: str, old: object, new: str) -> None:  # noqa: ARG002 - likewise
        """Take over the order of the column whose head was pressed."""
        if new:
            self.bridge.pressed = ""  # before the address: the next press may follow as soon as that has changed
        if new.startswith(PRESS):
            self._take(self.choice.sorted_by(new.removeprefix(PRESS)), step=True)

    def _visited(self, attr: str, old: object, new: str) -> None:  # noqa: ARG002 - likewise
        """Take over the choice of the address to which the viewer has gone back."""
        if new:
            choice, notes = parse(dict(parse_qsl(new.lstrip("?"))), self.interval)
            self._take(choice, step=False, notes=notes)
            self.bridge.visited = ""

    def _take(self, choice: Choice, step: bool, notes: tuple[str, ...] = ()) -> None:
        self.choice, self.notes = choice, notes
        self._show_choice(step)
        self.tick()

    def _show_choice(self, step: bool = False) -> None:
        self._showing = True
        self.choosers.show(self.choice, self.overview)
        self._showing = False
        self.address(step)

    def tick(self) -> None:
        """Bring the page to what the reader knows."""
        reading = self.reader.view(Key(self.choice.interval, self.choice.model), self.wake)
        overview = reading.value
        if overview is not None:
            known, self.overview = self.overview, overview
            if known is None or (known.intervals, known.models) != (overview.intervals, overview.models):
                self._settle(overview)
        health = self._health(reading)
        self.paint()
        self._say(health)

    def _settle(self, overview: Overview) -> None:
        self.choice, notes = settle(self.choice, overview.intervals, overview.models)
        self.notes += notes
        self._show_choice()

    def _health(self, reading: Reading[Overview]) -> PageHealth:
        """Return the state of the page, by the newest bar and forecast of all symbols."""
        overview, now, step = reading.value or self.overview, time.monotonic(), interval_ms(self.choice.interval)
        limit_s = self.stale_after_s or stale_after(self.choice.interval)
        if overview is None:
            return decide(Evidence(limit_s=limit_s, error=reading.error, read=False), self._look().clock)
        ages = (None if at is None else now - at for at in (overview.changed, overview.forecast))
        bar, said = overview.newest_bar, overview.newest_forecast
        evidence = Evidence(
            limit_s=limit_s,
            error=reading.error,
            answer_age_s=reading.age_s or 0.0,
            has_series=bool(overview.intervals),
            age_s=next(ages),
            forecast_age_s=next(ages),
            watched_s=now - overview.since,
            bar=bar,
            bar_age_s=None if bar is None else time.time() - (bar + step) / 1000,
            behind=None if bar is None or said is None else max(0, round((bar - said) / step)),
        )
        return decide(evidence, self._look().clock)

    def _look(self) -> Look:
        overview = self.overview
        return Look(
            regimes=regime_colours(states(overview.symbols), self.palette) if overview else {},
            clock=clock_of(self.choice.clock, self.zone),
            theme=self.theme if self.theme in PALETTES else None,
            newest=overview.newest_bar if overview else None,
        )

    def _say(self, health: PageHealth) -> None:
        blank = self._painted is None or not self._painted.symbols
        self.write("badge", header.badge(health))
        self.write("notices", "" if blank else header.notices(health, self.notes))
        self.texts["notices"].visible = bool(self.texts["notices"].text)
        self.write("blank", header.blank(health) if blank else "")
        self.bridge.state = "blank" if blank else health.kind

    def paint(self) -> None:
        """Send what has changed, if anything has, or how it looks; nothing while another model is still being read."""
        look, overview, choice = self._look(), self.overview, self.choice
        if overview is None or overview.key != Key(choice.interval, choice.model):
            return
        if overview is self._painted and self._drawn == (look, choice):
            return
        self._painted, self._drawn = overview, (look, choice)
        order = arranged(overview, choice, look)
        before, self._cells = self._cells, [cells(one, choice, look) for one in overview.symbols]
        feed(self.table.source, before, self._cells)
        self._set("heads", heads(choice))
        self._set("sort", choice.sort)
        self._set("direction", "descending" if choice.descending else "ascending")
        self._set("arrangement", f"{choice.sort} {choice.descending} {choice.find} {choice.regime} {choice.shown}")
        self._set("order", order)
        self.choosers.offer(overview)
        self.write("headline", headline(overview, choice, look))
        self.write("table_title", title(len(order), overview, choice, look))
        self.write("nothing", "" if order else '<p class="muted">No symbol matches what is chosen above.</p>')

    def _set(self, name: str, value: Any) -> None:
        if getattr(self.table, name) != value:
            setattr(self.table, name, value)


def heads(choice: Choice) -> dict[str, str]:
    """Return the heads of the columns that depend on the choice."""
    ahead = span_label(choice.horizon, choice.interval)
    unit = "" if choice.unit == "price" else ", bp"
    rises = {name: span_label(horizon, choice.interval) for name, horizon in RISES.items()}
    return rises | {
        "past": f"Last {span_label(PAST_BARS, choice.interval)}",
        "width": f"90 % interval, {ahead} ahead{unit}",
        "interval80": f"80 % interval{unit}",
    }


def headline(overview: Overview, choice: Choice, look: Look) -> str:
    """Return how many symbols there are, the newest bar of all, how many are stale, and which regimes they are in."""
    symbols = overview.symbols
    stale = sum(old(one, choice, look) for one in symbols)
    counts = {state: sum(one.state == state for one in symbols) for state in look.regimes}
    dots = "".join(
        f'<li><i class="dot" style="background:{look.regimes[state]}"></i>{count} {escape(state_name(state))}</li>'
        for state, count in counts.items()
    )
    return (
        f'<div class="head"><div class="symbol">All symbols<small>{len(symbols)}, {escape(choice.interval)} bars'
        "</small></div>"
        + fact("Newest bar", look.clock.moment(overview.newest_bar))
        + fact("Stale", f'<b class="stale">{stale}</b>' if stale else "none")
        + (f'<div class="fact many"><span>Regimes</span><ul>{dots}</ul></div>' if dots else "")
        + "</div>"
    )


def title(shown: int, overview: Overview, choice: Choice, look: Look) -> str:
    """Return the table's title: the model, how many symbols are shown, and what the colours mean."""
    marks = [mark("box up", "var(--hit)", "a rise is likelier"), mark("box down", "var(--miss)", "a fall is likelier")]
    of_all = f"{shown} of {len(overview.symbols)} symbols"
    model = f", forecasts of {choice.model}" if choice.model else ""
    return heading("Newest forecasts", f"{of_all}{model}, times in {look.clock.short()}", marks)
