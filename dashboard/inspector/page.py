"""One viewer's inspector: it keeps the choice, and makes the cards of the section that is open."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from bokeh.document import Document
from bokeh.models.css import InlineStyleSheet
from bokeh.models.layouts import Column
from bokeh.models.widgets.groups import RadioButtonGroup
from bokeh.models.widgets.inputs import Select
from psycopg import Connection

from dashboard.html import fact, moment_at
from dashboard.inspector import choice as chosen_by_viewer
from dashboard.inspector import page_text, sections
from dashboard.inspector.cards import text
from dashboard.inspector.catalogue import Catalogue, Known, Version
from dashboard.inspector.choice import NO_OTHER, SECTIONS, Choice
from dashboard.inspector.sections import Details, Shown
from dashboard.inspector.staleness import health
from dashboard.inspector.version_loader import VersionLoader
from dashboard.inspector.weights_reader import Database, WeightsKey
from dashboard.live import header
from dashboard.number_format import DASH
from dashboard.polled_reader import PolledReader
from dashboard.reader_health import nothing
from dashboard.service import PageRequest
from dashboard.site_page import SitePage, look
from dashboard.static_files import asset
from topics.records import HORIZONS

COMMANDS = ("./foretick up", "./foretick pipeline run")
"""What makes models."""


@dataclass(frozen=True)
class Sources:
    """What the viewers share: the models' folder and its reader, the database's, and what loads versions."""

    folder: Path
    catalogue: PolledReader[Known, None, Catalogue]
    database: PolledReader[Connection, WeightsKey | None, Database]
    loader: VersionLoader


class InspectorDocument(SitePage):
    """The document of one browser tab."""

    def __init__(self, document: Document, request: PageRequest, sources: Sources) -> None:
        super().__init__(document, request, ("headline",))
        self.sources = sources
        self.choice, notes = chosen_by_viewer.parse(self.given)
        self.notes += notes
        self.catalogue: Catalogue | None = None
        self.series: tuple[str, ...] = ()
        self.shown: object = None
        self.model, self.version, self.other, self.symbol = (
            Select(name=name, sizing_mode="stretch_width", **look()) for name in ("model", "version", "other", "symbol")
        )
        self.section = RadioButtonGroup(name="section", labels=[name.capitalize() for name in SECTIONS], **look())
        self.horizon = RadioButtonGroup(name="horizon", labels=[str(horizon) for horizon in HORIZONS], **look())
        self.details = Details(self._redraw)
        sheet = InlineStyleSheet(css=asset("cards.css"))
        self.body = Column(name="body", sizing_mode="stretch_width", stylesheets=[sheet], children=[text("")])
        self._showing = False
        for root in (*self._selects, self.section, self.horizon, self.body):
            document.add_root(root)
        for select in self._selects:
            select.on_change("value", self._chosen)
        for group in (self.section, self.horizon):
            group.on_change("active", self._chosen)
        self._show_choice()
        self.begin()

    @property
    def _selects(self) -> tuple[Select, ...]:
        return self.model, self.version, self.other, self.symbol

    def query(self) -> dict[str, str | None]:
        """Return the choice as the address has it."""
        return self.choice.query()

    def paint(self) -> None:
        """Make the cards anew: they are made in the theme's colours."""
        self.shown = None
        if self.catalogue is not None:
            self._draw()

    def tick(self) -> None:
        """Bring the page to what is known. Never waits."""
        listed, database = self.sources.catalogue.view(None), self.sources.database.view(None)
        series = tuple(f"{symbol} {interval}" for symbol, interval in database.value.series) if database.value else ()
        catalogue = listed.value
        state = health(listed, database, self.sources.folder)
        if catalogue is not None and catalogue.models:
            choice, notes = chosen_by_viewer.settle(self.choice, catalogue, series)
            if choice != self.choice or catalogue != self.catalogue or series != self.series:
                self.choice, self.catalogue, self.series = choice, catalogue, series
                self.notes += notes
                self._show_choice()
                self.address()
            self._draw()
        blank = catalogue is None or not catalogue.models
        problem = catalogue.problem if catalogue is not None else ""
        self.write("badge", header.badge(state))
        notes = (*self.notes, *((problem,) if problem else ()))
        stale = page_text.sentence(state.detail, state.kind) if state.kind != "live" else ""
        self.write("notices", "" if blank else stale + "".join(page_text.sentence(note, "note") for note in notes))
        self.texts["notices"].visible = bool(self.texts["notices"].text)
        self.write("blank", nothing(state, "No model yet", COMMANDS) if blank else "")
        self.bridge.state = "blank" if blank else state.kind

    def _chosen(self, attr: str, old: object, new: object) -> None:  # noqa: ARG002 - Bokeh asks for this signature
        """Take over what the viewer has set in the choosers."""
        if self._showing:
            return
        model = self.model.value or self.choice.model
        same = model == self.choice.model
        self.choice = Choice(
            model=model,
            version=self.version.value if same and self.version.value else None,
            other=self.other.value if same else NO_OTHER,
            section=SECTIONS[self.section.active or 0],
            horizon=HORIZONS[self.horizon.active or 0],
            series=self.symbol.value or self.choice.series,
        )
        self.notes = ()
        if self.catalogue is not None:
            self.choice, self.notes = chosen_by_viewer.settle(self.choice, self.catalogue, self.series)
        self._show_choice()
        self.address()
        self.tick()

    def _show_choice(self) -> None:
        """Show the choice in the choosers."""
        self._showing = True
        choice = self.choice
        versions: Sequence[Version] = self.catalogue.models[choice.model or ""] if self.catalogue else ()
        labels: dict[str, str] = {one.version: page_text.label(one) for one in versions}
        others = {NO_OTHER: "none", **{name: label for name, label in labels.items() if name != choice.version}}
        models = {name: name for name in self.catalogue.models} if self.catalogue else {}
        series = {name: name for name in self.series}
        for select, options, value in (
            (self.model, models, choice.model),
            (self.version, labels, choice.version),
            (self.other, others, choice.other),
            (self.symbol, series, choice.series),
        ):
            given: list[Any] = [*options.items()]
            select.options, select.disabled = given, not given
            select.value = value or ""
        self.section.active, self.horizon.active = SECTIONS.index(choice.section), HORIZONS.index(choice.horizon)
        self._showing = False

    def _redraw(self) -> None:
        self.shown = None
        self._draw()

    def _draw(self) -> None:
        """Make the cards, if what they show has changed."""
        if self.catalogue is None:
            return
        version = self.catalogue.find(self.choice.model, self.choice.version)
        if version is None:
            return
        other = self.catalogue.find(self.choice.model, self.choice.other)
        shown = Shown(
            choice=self.choice,
            version=version,
            other=other,
            palette=self.palette,
            loader=self.sources.loader,
            database=self.sources.database,
        )
        made, state = sections.of(shown, self.details)
        about = self.choice, version, other, state
        if (*about, self.details.values) == self.shown:
            return
        self.body.children = [*made()]
        self.in_zone(self.body)
        # Making the cards has filled their choosers. The state is the one that they were made in: what was read
        # meanwhile makes them anew.
        self.shown = (*about, self.details.values)
        self.write("headline", headline(version))


def headline(version: Version) -> str:
    """Return which version it is, and the first things to know of it."""
    given = version.provenance
    trained = moment_at(given.last) if given else "unknown"
    return (
        f'<div class="head"><div class="symbol">{escape(version.model)}<small>{escape(version.version)}</small></div>'
        + fact("In service", "yes" if version.in_service else "no")
        + fact("Trained on data to", trained)
        + fact("Bars", f"{given.rows:,}" if given else DASH)
        + fact("Skill at training", escape(page_text.skill(version.skill)))
        + "</div>"
    )
